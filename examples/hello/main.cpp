// A replicated counter: every replica follows the log of a cluster, and applies the requests of the app "counter" in
// its order. All that is kept is a number, so all that can go wrong is the order: that is what the cluster is for.
//
//   hello GENESIS [--node NAME] [--until INDEX]

#include <charconv>
#include <cstdio>
#include <optional>

#include "client/client.h"
#include "node/config/genesis_file.h"
#include "node/wire/request_codec.h"

namespace {

constexpr std::string_view app = "counter";
constexpr int done = 0, failed = 1, misused = 2, unreachable = 3, forked = 6;

struct Arguments {
  std::string genesis;
  std::string node;
  std::uint64_t until = UINT64_MAX;  ///< ends when the log up to here is applied
};

std::optional<std::uint64_t> parse_number(std::string_view text) {
  std::uint64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<Arguments> parse_arguments(int count, char** words) {
  Arguments out;
  for (int i = 1; i < count; ++i) {
    std::string_view word = words[i];
    bool has_value = i + 1 < count;
    if (word == "--node" && has_value) {
      out.node = words[++i];
    } else if (word == "--until" && has_value) {
      auto index = parse_number(words[++i]);
      if (!index) return std::nullopt;
      out.until = *index;
    } else if (out.genesis.empty() && !word.starts_with("-")) {
      out.genesis = word;
    } else {
      return std::nullopt;
    }
  }
  return out.genesis.empty() ? std::nullopt : std::optional(out);
}

/// The app itself. Whatever it does must follow from the payload alone: then all replicas do the same.
struct Counter {
  std::uint64_t value = 0;

  /// False if the payload is no operation of this app: it is passed over, everywhere alike.
  bool apply(std::string_view payload) {
    constexpr std::string_view add = "add ";
    if (!payload.starts_with(add)) return false;
    auto amount = parse_number(payload.substr(add.size()));
    if (!amount) return false;
    value += *amount;
    return true;
  }
};

void apply_piece(const zell::LogEntries& piece, Counter& counter) {
  auto index = piece.first;
  for (const auto& request : piece.requests) {
    if (request->app == app) {
      for (auto payload : zell::payloads_of(*request)) {
        bool applied = counter.apply(zell::as_text(payload));
        std::printf("#%llu  count %llu%s\n", static_cast<unsigned long long>(index.value),
                    static_cast<unsigned long long>(counter.value), applied ? "" : "  (not an operation)");
      }
    }
    index = index.next();
  }
  std::fflush(stdout);
}

int fail(const zell::Error& error) {
  std::fprintf(stderr, "hello: %s: %s\n", error.code.c_str(), error.what.c_str());
  if (!error.hint.empty()) std::fprintf(stderr, "       %s\n", error.hint.c_str());
  if (error.code == "safety-violation") return forked;
  return error.code == "unreachable" ? unreachable : failed;
}

int follow(zell::Client& client, std::size_t node, std::uint64_t until) {
  zell::ReadOptions options;
  options.node = node;
  auto reader = client.read(options);
  if (!reader) return fail(reader.error());
  Counter counter;
  while (reader->next_index().value <= until) {
    auto piece = reader->next(std::chrono::seconds(30));
    if (!piece) return fail(piece.error());
    apply_piece(*piece, counter);
  }
  return done;
}

}  // namespace

int main(int count, char** words) {
  auto arguments = parse_arguments(count, words);
  if (!arguments) {
    std::fprintf(stderr, "usage: hello GENESIS [--node NAME] [--until INDEX]\n");
    return misused;
  }
  auto file = zell::load_genesis(arguments->genesis);
  if (!file) return fail(file.error());

  std::vector<zell::ClientNode> nodes;
  std::optional<std::size_t> first;
  if (arguments->node.empty()) first = 0;
  for (std::size_t i = 0; i < file->genesis.size(); ++i) {
    if (file->endpoints[i].api.empty()) continue;
    if (file->genesis.members[i].name == arguments->node) first = nodes.size();
    nodes.push_back({file->genesis.members[i].name, file->endpoints[i].api});
  }
  if (nodes.empty() || !first) {
    return fail({"no-node", "the genesis file names no such node with an API address", "--node takes a name, e.g. n1"});
  }

  zell::ClientOptions options;
  options.on_fault = [](const zell::NodeFault& fault) {
    std::fprintf(stderr, "hello: %s lied about %s (%s); going on with another node\n", fault.node.c_str(),
                 fault.field.c_str(), fault.what.c_str());
  };
  zell::Client client(file->genesis, std::move(nodes), std::move(options));
  return follow(client, *first, arguments->until);
}
