#include "cluster/selectors.h"

#include <charconv>
#include <optional>
#include <set>

#include "node/config/nearest.h"

namespace zell {
namespace {

using Positions = std::vector<std::size_t>;

std::optional<std::size_t> number(std::string_view text) {
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

Positions eligible_followers(const std::vector<Candidate>& nodes) {
  Positions out;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    if (nodes[i].eligible && !nodes[i].leader) out.push_back(i);
  }
  return out;
}

std::optional<std::size_t> leader_of(const std::vector<Candidate>& nodes) {
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    if (nodes[i].leader) return i;
  }
  return std::nullopt;
}

Result<Positions> first_of(Positions from, std::size_t count, std::string_view selector) {
  if (count == 0) {
    return Error{"nothing-selected", "'" + std::string(selector) + "' is no node here", "name a node, e.g. n2"};
  }
  if (from.size() < count) {
    return Error{"nothing-selected",
                 "'" + std::string(selector) + "' needs " + std::to_string(count) + " nodes, and there are only " +
                     std::to_string(from.size()) + " to choose from",
                 "zell status"};
  }
  from.resize(count);
  return from;
}

Error not_understood(std::string_view selector, const std::vector<Candidate>& nodes) {
  std::vector<std::string_view> words{"leader", "followers", "all", "random:1", "followers:2", "f", "f+1"};
  for (const auto& node : nodes) words.push_back(node.name);
  const auto near = nearest_word(selector, words);
  std::string hint = !near.empty() ? "did you mean " + std::string(near) + "?"
                                   : "n1, leader, followers, followers:2, random:1, f, f+1 or all";
  return Error{"bad-selector", "no node is called '" + std::string(selector) + "'", std::move(hint)};
}

Result<Positions> resolve_counted(std::string_view word, std::size_t count, const std::vector<Candidate>& nodes,
                                  Prng& random, std::string_view selector) {
  auto followers = eligible_followers(nodes);
  if (word == "followers") return first_of(std::move(followers), count, selector);
  auto pool = std::move(followers);
  if (const auto leader = leader_of(nodes); leader && nodes[*leader].eligible) pool.push_back(*leader);
  for (std::size_t i = pool.size(); i > 1; --i) std::swap(pool[i - 1], pool[random.below(i)]);
  return first_of(std::move(pool), count, selector);
}

Result<Positions> resolve_one(std::string_view selector, const std::vector<Candidate>& nodes, std::size_t faults,
                              Prng& random) {
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    if (nodes[i].name == selector) return Positions{i};
  }
  const auto leader = leader_of(nodes);
  if (selector == "all") {
    Positions all(nodes.size());
    for (std::size_t i = 0; i < nodes.size(); ++i) all[i] = i;
    return all;
  }
  if (selector == "leader") {
    if (leader) return Positions{*leader};
    return Error{"nothing-selected", "no node leads now", "zell status"};
  }
  if (selector == "followers") {
    auto followers = eligible_followers(nodes);
    const auto count = followers.size();
    return first_of(std::move(followers), count, selector);
  }
  if (selector == "f" || selector == "f+1") {
    auto pool = eligible_followers(nodes);
    if (leader && nodes[*leader].eligible) pool.push_back(*leader);
    return first_of(std::move(pool), selector == "f" ? faults : faults + 1, selector);
  }
  const auto colon = selector.find(':');
  if (colon != std::string_view::npos) {
    const auto word = selector.substr(0, colon);
    const auto count = number(selector.substr(colon + 1));
    if (count && (word == "followers" || word == "random")) {
      return resolve_counted(word, *count, nodes, random, selector);
    }
  }
  return not_understood(selector, nodes);
}

}  // namespace

Result<Positions> resolve_selector(std::string_view text, const std::vector<Candidate>& nodes, std::size_t faults,
                                   Prng& random) {
  std::set<std::size_t> chosen;
  while (true) {
    const auto comma = text.find(',');
    auto one = resolve_one(text.substr(0, comma), nodes, faults, random);
    if (!one) return one.error();
    chosen.insert(one->begin(), one->end());
    if (comma == std::string_view::npos) break;
    text.remove_prefix(comma + 1);
  }
  return Positions(chosen.begin(), chosen.end());
}

}  // namespace zell
