#pragma once
// A folder of a test's own, with an environment inside it.

#include <stdlib.h>

#include <filesystem>
#include <string>

#include "cluster/paths.h"
#include "node/base/check.h"

namespace zell {

class Scratch {
 public:
  Scratch() {
    char name[] = "/tmp/zell-test-XXXXXX";
    ZELL_CHECK(::mkdtemp(name) != nullptr);
    path = name;
    environment = {path / "data", path / "state", path / "run", path / "tmp"};
    std::filesystem::create_directories(environment.runtime_dir);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  std::filesystem::path path;
  Environment environment;
};

}  // namespace zell
