#pragma once
// Files of results: what `zell bench --json` has printed, once or several times.

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>
#include <vector>

#include "node/base/result.h"

namespace zell {

/// The documents of one file: one document, an array of them, or one a line. Each has schema 1 and that kind ("bench",
/// "limits"), and there is at least one. Codes: "not-found", "io", "bad-document".
[[nodiscard]] Result<std::vector<nlohmann::json>> read_documents(const std::filesystem::path& file,
                                                                 std::string_view kind);
/// The same, of a text; `source` names it in errors.
[[nodiscard]] Result<std::vector<nlohmann::json>> parse_documents(std::string_view text, std::string_view source,
                                                                  std::string_view kind);

/// The number at a JSON pointer such as "/latency_us/p99"; nullopt if there is none.
[[nodiscard]] std::optional<double> number_at(const nlohmann::json& document, const char* pointer);

}  // namespace zell
