#pragma once
// Who may call: a page of a foreign site must not reach a node through the browser of a developer who runs one.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "node/base/result.h"

namespace zell {

/// The name in a Host header without its port, lower case; nullopt if it is malformed. "[::1]:80" -> "[::1]".
[[nodiscard]] std::optional<std::string> host_name(std::string_view host_header);

/// Refuses a Host that is not localhost, 127.0.0.1, [::1] or one of `allowed` (a name that resolves to loopback behind
/// our back: DNS rebinding), and an Origin other than the node's own. Codes: "foreign-host", "foreign-origin".
[[nodiscard]] Status check_caller(std::string_view host_header, const std::optional<std::string>& origin,
                                  const std::vector<std::string>& allowed);

}  // namespace zell
