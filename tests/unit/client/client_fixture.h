#pragma once
// Nodes that may lie, and a client of theirs.

#include <catch2/catch.hpp>

#include "client/client.h"
#include "tests/support/http_fixture.h"

namespace zell::testing {

using std::chrono::milliseconds;

inline Chain grown(std::size_t batches, std::size_t each, const std::string& app = "default") {
  Chain chain;
  chain.grow(batches, each, app);
  return chain;
}

/// n1 is the first of `nodes`, and asked first.
inline Client client_of(std::initializer_list<HttpFixture*> nodes, ClientOptions options = {}) {
  std::vector<ClientNode> where;
  for (auto* node : nodes) where.push_back({"n" + std::to_string(where.size() + 1), node->url()});
  options.patience = milliseconds(300);
  return Client(Chain().genesis, std::move(where), std::move(options));
}

/// Reads up to `index`; the requests' first payloads.
inline std::vector<std::string> read_all(Client& client, std::uint64_t index, ReadOptions options = {}) {
  std::vector<std::string> out;
  auto reader = client.read(std::move(options));
  REQUIRE(reader.ok());
  while (reader->next_index().value <= index) {
    auto piece = reader->next(milliseconds(3'000));
    if (!piece) FAIL(piece.error().code << ": " << piece.error().what);
    REQUIRE_FALSE(piece->requests.empty());
    for (const auto& one : piece->requests) out.emplace_back(as_text(payloads_of(*one)[0]));
  }
  return out;
}

/// The one fault that was found, as "node field".
inline std::string only_fault(const Client& client) {
  if (client.faults().size() != 1) return std::to_string(client.faults().size()) + " faults";
  return client.faults()[0].node + " " + client.faults()[0].field;
}

}  // namespace zell::testing
