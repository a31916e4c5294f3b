#pragma once
// GET /v1/openapi.json.

#include <string_view>

namespace zell {

/// openapi.json of this folder, as it was when this was built: OpenAPI 3.1, every route, parameter and answer. Tests
/// hold it against the table of routes, and against what nodes answer.
[[nodiscard]] std::string_view openapi_document();

}  // namespace zell
