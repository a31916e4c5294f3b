#include "node/config/address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

namespace zell {
namespace {

bool is_ipv4(const std::string& host) {
  in_addr address{};
  return inet_pton(AF_INET, host.c_str(), &address) == 1;
}

bool is_ipv6(const std::string& host) {
  in6_addr address{};
  return inet_pton(AF_INET6, host.c_str(), &address) == 1;
}

bool is_dns_name(std::string_view host) {
  auto letter_or_digit = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  // A name of digits and dots only is a mistyped IPv4 address.
  bool any_letter =
      std::any_of(host.begin(), host.end(), [](char c) { return (c | 0x20) >= 'a' && (c | 0x20) <= 'z'; });
  if (!any_letter || host.size() > 253 || !letter_or_digit(host.front()) || !letter_or_digit(host.back())) return false;
  if (host.find("..") != std::string_view::npos) return false;
  return std::all_of(host.begin(), host.end(),
                     [&](char c) { return letter_or_digit(c) || c == '-' || c == '.' || c == '_'; });
}

Error bad_address(std::string_view text) {
  return {"bad-address", "\"" + std::string(text) + "\" is no host:port", "write it as 127.0.0.1:7101 or [::1]:7101"};
}

}  // namespace

bool valid_host(std::string_view host) {
  if (host.empty() || host.size() > 253) return false;
  std::string text(host);
  if (text.find('\0') != std::string::npos) return false;
  return is_ipv4(text) || is_ipv6(text) || is_dns_name(host);
}

Result<HostPort> parse_host_port(std::string_view text) {
  auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return bad_address(text);
  auto host = text.substr(0, colon);
  bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  // Without brackets, the last group of an IPv6 address would be read as a port.
  if (!valid_host(host) || bracketed != (host.find(':') != std::string_view::npos)) return bad_address(text);

  auto digits = text.substr(colon + 1);
  unsigned port = 0;
  auto [end, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (problem != std::errc{} || end != digits.data() + digits.size() || port < 1 || port > 65'535) {
    return Error{"bad-port", "\"" + std::string(digits) + "\" in \"" + std::string(text) + "\" is no port",
                 "a port is a number from 1 to 65535"};
  }
  return HostPort{std::string(host), static_cast<std::uint16_t>(port)};
}

std::string to_string(const HostPort& address) {
  bool ipv6 = address.host.find(':') != std::string::npos;
  return (ipv6 ? "[" + address.host + "]" : address.host) + ":" + std::to_string(address.port);
}

Result<HostPort> parse_api_url(std::string_view text) {
  constexpr std::string_view scheme = "http://";
  if (!text.starts_with(scheme)) {
    return Error{"bad-url", "\"" + std::string(text) + "\" does not start with http://",
                 "write it as http://127.0.0.1:7201"};
  }
  auto rest = text.substr(scheme.size());
  if (rest.ends_with('/')) rest.remove_suffix(1);
  return parse_host_port(rest);
}

bool is_loopback(std::string_view host) {
  if (host == "localhost") return true;
  std::string text(host);
  in_addr v4{};
  if (inet_pton(AF_INET, text.c_str(), &v4) == 1) return (ntohl(v4.s_addr) >> 24) == 127;
  in6_addr v6{};
  return inet_pton(AF_INET6, text.c_str(), &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

}  // namespace zell
