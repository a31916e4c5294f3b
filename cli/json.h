#pragma once
// --json: documents that begin with their schema. Only for .cpp files of commands.

#include <nlohmann/json.hpp>

#include "cli/output.h"

namespace zell::cli {

using Json = nlohmann::ordered_json;

/// {"schema":1, ...members}, on one line of stdout. Payloads may hold any bytes: what is no UTF-8 is replaced (they are
/// printed in hexadecimal besides).
inline void print_json(Json members) {
  Json document{{"schema", 1}};
  document.update(members);
  print(document.dump(-1, ' ', false, Json::error_handler_t::replace));
}

}  // namespace zell::cli
