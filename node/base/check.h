#pragma once
// Assertions about our own state, kept in release builds. Never for bytes that come from outside.

namespace zell {

/// Prints what failed and where to stderr, then aborts.
[[noreturn]] void check_failed(const char* what, const char* file, int line);

}  // namespace zell

#define ZELL_CHECK(condition) \
  (static_cast<bool>(condition) ? void(0) : ::zell::check_failed(#condition, __FILE__, __LINE__))
