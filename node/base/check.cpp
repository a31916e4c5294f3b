#include "node/base/check.h"

#include <cstdio>
#include <cstdlib>

namespace zell {

void check_failed(const char* what, const char* file, int line) {
  std::fprintf(stderr, "zell: internal error: %s does not hold (%s:%d); please report this\n", what, file, line);
  std::fflush(stderr);
  std::abort();
}

}  // namespace zell
