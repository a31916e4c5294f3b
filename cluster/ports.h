#pragma once
// TCP ports on loopback: which are free, and who has the others.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "node/base/result.h"

namespace zell {

inline constexpr std::size_t max_cluster_nodes = 31;  ///< of a local cluster
inline constexpr std::uint16_t first_base_port = 7'100;
inline constexpr std::uint16_t port_block = 100;  ///< a cluster's ports are base + 1 .. base + 81
inline constexpr std::uint16_t peer_port_offset = 50;

/// Node k (from 0) answers clients at base + 1 + k and its peers at base + 51 + k.
struct NodePorts {
  std::uint16_t api = 0;
  std::uint16_t peer = 0;
  friend bool operator==(const NodePorts&, const NodePorts&) = default;
};
[[nodiscard]] NodePorts ports_of(std::uint16_t base_port, std::size_t node);
/// Code "bad-port": a base port is 1,024..65,400, so that the whole block fits.
[[nodiscard]] Status check_base_port(std::uint64_t base_port);

/// True if a server could listen on 127.0.0.1:port now.
[[nodiscard]] bool port_is_free(std::uint16_t port);
/// "python3 (pid 812)", or nullopt when nobody listens there or /proc does not tell (another user's process).
[[nodiscard]] std::optional<std::string> port_holder(std::uint16_t port);

/// The first base port from `first` in steps of 100 whose `nodes` ports of both kinds are free and which is none of
/// `taken` (the base ports of clusters that may be stopped now). Code "port-taken" when there is none below 32,000.
[[nodiscard]] Result<std::uint16_t> find_base_port(std::size_t nodes, std::span<const std::uint16_t> taken,
                                                   std::uint16_t first = first_base_port);
/// Ok if all of them are free; else code "port-taken", naming the port and its holder, with `hint`.
[[nodiscard]] Status check_ports_free(std::span<const NodePorts> ports, std::string hint);

}  // namespace zell
