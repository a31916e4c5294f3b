#include "node/wire/evidence_names.h"

#include <array>

namespace zell {
namespace {

constexpr std::array<std::string_view, std::variant_size_v<Evidence>> names{"two-proposals", "two-votes", "hidden-lock",
                                                                            "invalid-proposal"};

struct ViewOf {
  View operator()(const TwoProposals& evidence) const { return evidence.a.view; }
  View operator()(const TwoVotes& evidence) const { return evidence.a.view; }
  View operator()(const HiddenLock& evidence) const { return evidence.final.view; }
  View operator()(const InvalidProposal& evidence) const { return evidence.header.view; }
};

}  // namespace

std::string_view kind_of(const Evidence& evidence) {
  return names[evidence.index()];
}

View view_of(const Evidence& evidence) {
  return std::visit(ViewOf{}, evidence);
}

}  // namespace zell
