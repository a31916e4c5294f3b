#include "node/types/request.h"

#include "node/base/check.h"

namespace zell {

std::string_view to_string(RequestState state) {
  switch (state) {
    case RequestState::unknown:
      return "unknown";
    case RequestState::initialised:
      return "initialised";
    case RequestState::sequenced:
      return "sequenced";
    case RequestState::locked:
      return "locked";
    case RequestState::finalised:
      return "finalised";
    case RequestState::refused:
      return "refused";
  }
  check_failed("a RequestState has one of its values", __FILE__, __LINE__);
}

}  // namespace zell
