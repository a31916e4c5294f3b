#pragma once
// "host:port" as people write it.

#include <cstdint>
#include <string>
#include <string_view>

#include "node/base/result.h"

namespace zell {

/// `host` is an IPv4 address, an IPv6 address (without brackets) or a DNS name.
struct HostPort {
  std::string host;
  std::uint16_t port = 0;
  friend bool operator==(const HostPort&, const HostPort&) = default;
};

/// "127.0.0.1:7101", "[::1]:7101", "node.example:7101". Codes: "bad-address" (host), "bad-port" (1..65,535 only).
[[nodiscard]] Result<HostPort> parse_host_port(std::string_view text);
/// The inverse: an IPv6 host gets brackets.
[[nodiscard]] std::string to_string(const HostPort& address);
/// "http://host:port", nothing after it but an optional "/". Codes as above, and "bad-url".
[[nodiscard]] Result<HostPort> parse_api_url(std::string_view text);
/// Whether it is an IPv4 address, an IPv6 address or a DNS name by form (1..253 bytes).
[[nodiscard]] bool valid_host(std::string_view host);
/// 127.0.0.0/8, ::1 or "localhost".
[[nodiscard]] bool is_loopback(std::string_view host);

}  // namespace zell
