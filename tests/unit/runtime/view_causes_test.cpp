#include "node/runtime/view_causes.h"

#include <catch2/catch.hpp>

namespace zell {

TEST_CASE("why a view began is kept while its members complain of the next") {
  const auto says = [](std::uint16_t node, std::uint64_t view, Reason reason) {
    return SignedChallenge{NodeId{node}, View{view}, reason, {}};
  };
  ViewCauses causes;
  CHECK(causes.of({0}).empty());
  // Member 2's complaint is of an older view.
  causes.on_changed({3}, {says(0, 2, Reason::unresponsive), says(1, 2, Reason::stalled), says(2, 1, Reason::manual)});
  const std::vector<Complaint> both{{NodeId{0}, Reason::unresponsive}, {NodeId{1}, Reason::stalled}};
  CHECK(causes.of({3}) == both);
  // It enters the view it had left for; by now member 0 has a new complaint, and member 3's has come late.
  causes.on_changed({3}, {says(0, 3, Reason::censored), says(3, 2, Reason::manual)});
  CHECK(causes.of({3}).size() == 3);
  CHECK(causes.of({3}).front() == both.front());
  CHECK(causes.of({4}).empty());
  causes.on_changed({4}, {says(0, 3, Reason::censored)});
  CHECK(causes.of({4}) == std::vector<Complaint>{{NodeId{0}, Reason::censored}});
  CHECK(causes.of({3}).empty());
}

}  // namespace zell
