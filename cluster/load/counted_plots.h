#pragma once
// How the work of a request grows with the cluster, counted and not timed: what `./dev perf --scale --json` prints.

#include <nlohmann/json.hpp>
#include <string>

namespace zell {

/// Sections of a page, a plot each, of a document of kind "counted-work" (RESULTS.md); what it lacks is left out.
[[nodiscard]] std::string counted_sections(const nlohmann::json& document);

}  // namespace zell
