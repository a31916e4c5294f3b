#pragma once

#include <stdexcept>

namespace zell::simulation {

/// A rule that must hold in every run was broken.
struct Violation : std::runtime_error {
  using std::runtime_error::runtime_error;
};

}  // namespace zell::simulation
