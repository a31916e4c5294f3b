#include "node/http/guards.h"

#include <algorithm>

namespace zell {

namespace {

bool all_digits(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (auto& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

}  // namespace

std::optional<std::string> host_name(std::string_view host_header) {
  auto end = host_header.starts_with('[') ? host_header.find(']') : host_header.find(':');
  if (host_header.starts_with('[')) {
    if (end == std::string_view::npos) return std::nullopt;
    ++end;
  }
  auto name = host_header.substr(0, end);
  auto rest = end == std::string_view::npos ? std::string_view() : host_header.substr(end);
  if (name.empty() || (!rest.empty() && (rest.front() != ':' || !all_digits(rest.substr(1))))) return std::nullopt;
  return lower(name);
}

Status check_caller(std::string_view host_header, const std::optional<std::string>& origin,
                    const std::vector<std::string>& allowed) {
  auto name = host_name(host_header);
  bool known = name && (*name == "localhost" || *name == "127.0.0.1" || *name == "[::1]" ||
                        std::find(allowed.begin(), allowed.end(), *name) != allowed.end());
  if (!known) {
    return Error{"foreign-host", "the Host header names no address of this node", "use http://127.0.0.1:PORT"};
  }
  if (origin && lower(*origin) != "http://" + lower(host_header)) {
    return Error{"foreign-origin", "a page of another site may not call a node",
                 "call it from a program, or through a server of your own"};
  }
  return Ok{};
}

}  // namespace zell
