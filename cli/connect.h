#pragma once
// A client of the cluster that is meant.

#include <optional>
#include <string>
#include <vector>

#include "cli/commands.h"
#include "client/client.h"
#include "cluster/supervisor_protocol.h"

namespace zell::cli {

struct Connected {
  FoundCluster cluster;
  std::vector<ProcessReport> processes;  ///< in genesis order
  std::vector<std::size_t> asked;        ///< genesis positions of the client's nodes, in its order
  Client client;
};

/// Nodes that run come first; the others are left out unless `all_nodes`. `only`: one node's name. What a node is found
/// out with is told on stderr. Codes: choose_cluster's, the genesis file's, "no-such-node", "not-running" (no node, or
/// not that one).
[[nodiscard]] Result<Connected> connect(const Globals& globals, const std::string& only = {}, bool all_nodes = false,
                                        ClientOptions options = {});

/// The highest final index that any node proves; 0 if nothing is final. Code: the client's, if no node answers.
[[nodiscard]] Result<Index> newest_final(Client& client);

}  // namespace zell::cli
