#include "node/types/vote.h"

#include <catch2/catch.hpp>
#include <set>

using namespace zell;

TEST_CASE("a certificate tells who signed it") {
  Certificate certificate;
  certificate.signatures = {{NodeId{0}, {}}, {NodeId{3}, {}}, {NodeId{255}, {}}};
  CHECK(certificate.signers().count() == 3);
  CHECK(certificate.signers().test(255));
  CHECK(certificate.has_signer(NodeId{3}));
  CHECK_FALSE(certificate.has_signer(NodeId{1}));
}

TEST_CASE("a signer that no genesis can name is left out of the set") {
  Certificate certificate;
  certificate.signatures = {{NodeId{256}, {}}, {NodeId{65'535}, {}}, {NodeId{2}, {}}, {NodeId{2}, {}}};
  CHECK(certificate.signers() == MemberSet(1 << 2));
}

TEST_CASE("ranks compare by view first, then by index") {
  Certificate low{Phase::lock, {4}, {{900}, {}}, {}}, high{Phase::lock, {5}, {{1}, {}}, {}};
  CHECK(low.rank() < high.rank());
  CHECK(Rank{{5}, {1}} < Rank{{5}, {2}});
  CHECK(low.lock().rank() == low.rank());
}

TEST_CASE("every state of a request has a name of its own") {
  std::set<std::string_view> names;
  for (int state = 0; state <= 5; ++state) names.insert(to_string(static_cast<RequestState>(state)));
  CHECK(names == std::set<std::string_view>{"unknown", "initialised", "sequenced", "locked", "finalised", "refused"});
}

TEST_CASE("a proposal's parent is the point just below its first request") {
  ProposalHeader header;
  header.first = {7};
  header.parent_root.bytes[0] = 9;
  CHECK(header.parent().index == Index{6});
  CHECK(header.parent().root == header.parent_root);
}
