#pragma once
// Results of `zell bench` as a page to look at.

#include <nlohmann/json.hpp>
#include <string>

namespace zell {

/// One page that needs nothing else: no network, no script. `result` is a bench document, or an array of them, which
/// are drawn over each other. What a document lacks is left out; every text of it is escaped.
[[nodiscard]] std::string html_report(const nlohmann::json& result);

}  // namespace zell
