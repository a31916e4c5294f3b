#pragma once
// Nonces that nobody needs to remember: microseconds since 1970, rising with each.

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace zell {

class RisingNonces {
 public:
  std::uint64_t next() {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(now).count();
    return last_ = std::max(last_ + 1, static_cast<std::uint64_t>(micros));
  }

 private:
  std::uint64_t last_ = 0;
};

}  // namespace zell
