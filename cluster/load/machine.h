#pragma once
// What a figure was measured on.

#include <nlohmann/json.hpp>
#include <string>

namespace zell {

struct Machine {
  std::string cpu;     ///< the model's name; "unknown" where the kernel does not tell
  unsigned cores = 0;  ///< that this process may run on
  std::string kernel;

  [[nodiscard]] static Machine here();
  [[nodiscard]] nlohmann::ordered_json to_json() const;
};

}  // namespace zell
