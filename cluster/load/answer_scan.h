#pragma once
// The answer to a submission, read in one pass: a generator shares the cores with the nodes that it measures.

#include <cstdint>
#include <string_view>
#include <vector>

#include "node/base/result.h"
#include "node/types/request.h"

namespace zell {

/// What a node says of one request. A view into the answer.
struct ScannedAnswer {
  RequestId id;
  RequestState state = RequestState::unknown;
  Index index;
  std::string_view reason;  ///< when refused
};

/// The results in `body`, in its order, into `out` (which is emptied first). Understands what nodes write, to the byte:
/// {"schema":1,"results":[{"id":"0x…","state":"finalised","index":7,"view":0,"timed_out":false},…]}, with "reason" and
/// "hint" where they are refused, and a line's end. Anything else is code "bad-answer", with how far it was understood.
[[nodiscard]] Status scan_submit_answer(std::string_view body, std::vector<ScannedAnswer>& out);

}  // namespace zell
