#pragma once
// What zell doctor looks at. None of it changes anything, except what `fix_stale` says.

#include <cstdint>
#include <string>
#include <vector>

#include "cluster/registry.h"

namespace zell::cli {

enum class Health : std::uint8_t { ok, warn, fail };

struct Finding {
  std::string check;  ///< "disk"
  Health health = Health::ok;
  std::string what;
  std::string fix;  ///< a command, or what to do; empty when all is well
};
using Findings = std::vector<Finding>;

/// Cores, memory, limits of this process, the clock.
void examine_machine(Findings& out);
/// The disk under the state folder: its kind, room, and how long it takes to sync. About 0.2 s.
void examine_disk(const Environment& environment, Findings& out);
/// Modes and owners of our folders and key files.
void examine_folders(const Environment& environment, Findings& out);
/// The runtime folder, and whether sockets' paths fit.
void examine_sockets(const Environment& environment, Findings& out);
void examine_ports(const KnownClusters& known, Findings& out);
/// Sockets that nobody listens on, clusters whose supervisor was killed, ephemeral ones that were left. With `fix` the
/// sockets and the ephemeral clusters are removed; nothing else is.
void examine_stale(const Environment& environment, const KnownClusters& known, bool fix, Findings& out);
/// Of each cluster that runs. At most two seconds each.
void examine_clusters(const KnownClusters& known, Findings& out);

}  // namespace zell::cli
