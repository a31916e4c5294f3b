#include "tests/simulation/plan_text.h"

#include <charconv>
#include <functional>

namespace zell::simulation {
namespace {

struct Field {
  std::string name;
  std::function<std::string(const Plan&)> get;
  std::function<bool(Plan&, std::string_view)> set;
};

template <class Integer>
bool read(std::string_view text, Integer& out) {
  auto end = text.data() + text.size();
  auto [at, error] = std::from_chars(text.data(), end, out);
  return error == std::errc{} && at == end;
}

std::vector<std::string_view> split(std::string_view text, char by) {
  std::vector<std::string_view> out;
  while (!text.empty()) {
    auto end = std::min(text.find(by), text.size());
    out.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

template <class Integer>
Field number(std::string name, Integer Plan::* member) {
  return {std::move(name), [member](const Plan& plan) { return std::to_string(plan.*member); },
          [member](Plan& plan, std::string_view text) { return read(text, plan.*member); }};
}

Field flag(std::string name, bool Plan::* member) {
  return {std::move(name), [member](const Plan& plan) { return std::string(plan.*member ? "1" : "0"); },
          [member](Plan& plan, std::string_view text) {
            plan.*member = text == "1";
            return text == "0" || text == "1";
          }};
}

Field time(std::string name, Duration Plan::* member) {
  return {std::move(name),
          [member](const Plan& plan) {
            auto us = (plan.*member).count();
            return us % 1'000 == 0 ? std::to_string(us / 1'000) + "ms" : std::to_string(us) + "us";
          },
          [member](Plan& plan, std::string_view text) {
            std::int64_t count = 0;
            bool ms = text.ends_with("ms");
            if (!ms && !text.ends_with("us")) return false;
            if (!read(text.substr(0, text.size() - 2), count) || count < 0) return false;
            plan.*member = Duration(ms ? count * 1'000 : count);
            return true;
          }};
}

std::string name_of(NodeId node) {
  return "n" + std::to_string(node.value + 1);
}

bool read_node(std::string_view text, NodeId& out) {
  std::uint16_t number = 0;
  if (!text.starts_with('n') || !read(text.substr(1), number) || number == 0) return false;
  out = {static_cast<std::uint16_t>(number - 1)};
  return true;
}

Field member(std::string name, std::optional<NodeId> Plan::* member) {
  return {std::move(name), [member](const Plan& plan) { return plan.*member ? name_of(*(plan.*member)) : "none"; },
          [member](Plan& plan, std::string_view text) {
            NodeId node;
            if (text == "none") {
              plan.*member = std::nullopt;
              return true;
            }
            if (!read_node(text, node)) return false;
            plan.*member = node;
            return true;
          }};
}

/// n2:mute+slow/n5:twins
std::string liars_text(const Plan& plan) {
  std::string out;
  for (const auto& liar : plan.liars) {
    out += (out.empty() ? "" : "/") + name_of(liar.node) + ":";
    bool first = true;
    for (std::size_t i = 0; i < behaviour_count; ++i) {
      if (!liar.behaviours[i]) continue;
      out += (first ? "" : "+") + std::string(to_string(static_cast<Behaviour>(i)));
      first = false;
    }
  }
  return out.empty() ? "none" : out;
}

bool read_behaviour(std::string_view text, Behaviours& out) {
  for (std::size_t i = 0; i < behaviour_count; ++i) {
    if (to_string(static_cast<Behaviour>(i)) != text) continue;
    out.set(i);
    return true;
  }
  return false;
}

bool read_liars(Plan& plan, std::string_view text) {
  plan.liars.clear();
  if (text == "none") return true;
  for (auto one : split(text, '/')) {
    LiarPlan liar;
    auto colon = one.find(':');
    if (colon == std::string_view::npos || !read_node(one.substr(0, colon), liar.node)) return false;
    for (auto behaviour : split(one.substr(colon + 1), '+')) {
      if (!read_behaviour(behaviour, liar.behaviours)) return false;
    }
    plan.liars.push_back(liar);
  }
  return true;
}

std::string stakes_text(const Plan& plan) {
  std::string out;
  for (auto stake : plan.stakes) out += (out.empty() ? "" : "+") + std::to_string(stake);
  return out;
}

bool read_stakes(Plan& plan, std::string_view text) {
  plan.stakes.clear();
  for (auto one : split(text, '+')) {
    std::uint64_t stake = 0;
    if (!read(one, stake) || stake == 0) return false;
    plan.stakes.push_back(stake);
  }
  return plan.stakes.size() == plan.nodes;
}

bool read_nodes(Plan& plan, std::string_view text) {
  if (!read(text, plan.nodes) || plan.nodes == 0 || plan.nodes > 64) return false;
  plan.stakes.resize(plan.nodes, 1);
  return true;
}

const std::vector<Field>& fields() {
  static const std::vector<Field> all = {
      {"nodes", [](const Plan& plan) { return std::to_string(plan.nodes); }, read_nodes},
      {"stakes", stakes_text, read_stakes},
      {"liars", liars_text, read_liars},
      flag("collude", &Plan::collude),
      member("wiped", &Plan::wiped),
      member("restored", &Plan::restored),
      member("rotted", &Plan::rotted),
      time("delay-min", &Plan::delay_min),
      time("delay-max", &Plan::delay_max),
      flag("ordered", &Plan::ordered),
      number("loss", &Plan::loss),
      number("duplicate", &Plan::duplicate),
      number("spike", &Plan::spike),
      time("partition-every", &Plan::partition_every),
      time("one-way-every", &Plan::one_way_every),
      time("clog-every", &Plan::clog_every),
      time("reset-every", &Plan::reset_every),
      time("disk-min", &Plan::disk_min),
      time("disk-max", &Plan::disk_max),
      time("slow-disk-every", &Plan::slow_disk_every),
      time("disk-error-every", &Plan::disk_error_every),
      flag("real-disks", &Plan::real_disks),
      time("power-cut-every", &Plan::power_cut_every),
      time("crash-every", &Plan::crash_every),
      time("cut-short-every", &Plan::cut_short_every),
      time("pause-every", &Plan::pause_every),
      time("clock-jump-every", &Plan::clock_jump_every),
      number("drift", &Plan::drift),
      time("manual-every", &Plan::manual_every),
      number("requests", &Plan::requests),
      time("chaos", &Plan::chaos),
      time("heal-limit", &Plan::heal_limit),
      flag("calm", &Plan::calm),
      flag("steady", &Plan::steady),
      flag("watch-patience", &Plan::watch_patience),
      flag("real-signatures", &Plan::real_signatures),
      flag("verify-honest", &Plan::verify_honest),
  };
  return all;
}

bool can_be(const Plan& plan, std::string& why) {
  auto outside = [&](NodeId node) { return node.value >= plan.nodes; };
  bool stray = false;
  for (const auto& forgetful : {plan.wiped, plan.restored, plan.rotted}) {
    stray = stray || (forgetful && outside(*forgetful));
  }
  for (const auto& liar : plan.liars) stray = stray || outside(liar.node);
  if (stray)
    why = "it names a node that does not exist";
  else if (!plan.is_tolerable())
    why = "a third of the stake or more is faulty";
  else if (!plan.real_disks && (plan.rotted || plan.power_cut_every.count() > 0))
    why = "only real disks rot or lose power in the middle of a write";
  else if (plan.delay_min > plan.delay_max || plan.disk_min > plan.disk_max)
    why = "a least time is above the longest";
  else
    return true;
  return false;
}

}  // namespace

const std::vector<std::string>& plan_fields() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> out;
    for (const auto& field : fields()) out.push_back(field.name);
    return out;
  }();
  return names;
}

std::string value_of(const Plan& plan, std::string_view name) {
  for (const auto& field : fields()) {
    if (field.name == name) return field.get(plan);
  }
  return {};
}

std::string differences(const Plan& plan, const Plan& from) {
  std::string out;
  for (const auto& field : fields()) {
    auto value = field.get(plan);
    if (value != field.get(from)) out += (out.empty() ? "" : ",") + field.name + "=" + value;
  }
  return out;
}

std::string text_of(const Plan& plan) {
  return "seed " + std::to_string(plan.seed) + ": " + differences(plan, Plan{});
}

std::vector<std::string> mix_of(const Plan& plan) {
  std::vector<std::string> out{std::to_string(plan.nodes) + " nodes"};
  Plan plain;
  for (const auto& field : fields()) {
    bool size = field.name == "nodes" || field.name == "stakes" || field.name == "requests" || field.name == "chaos" ||
                field.name == "verify-honest";
    if (!size && field.name != "liars" && field.get(plan) != field.get(plain)) out.push_back(field.name);
  }
  Behaviours any;
  for (const auto& liar : plan.liars) any |= liar.behaviours;
  for (std::size_t i = 0; i < behaviour_count; ++i) {
    if (any[i]) out.push_back("liar: " + std::string(to_string(static_cast<Behaviour>(i))));
  }
  return out;
}

bool change_plan(Plan& plan, std::string_view text, std::string& why) {
  for (auto one : split(text, ',')) {
    auto equals = one.find('=');
    auto name = one.substr(0, equals);
    const Field* found = nullptr;
    for (const auto& field : fields()) {
      if (field.name == name) found = &field;
    }
    if (!found || equals == std::string_view::npos || !found->set(plan, one.substr(equals + 1))) {
      why = "cannot read: " + std::string(one);
      return false;
    }
  }
  return can_be(plan, why);
}

}  // namespace zell::simulation
