#include "node/types/vote.h"

#include <algorithm>

#include "node/base/check.h"

namespace zell {

MemberSet Certificate::signers() const {
  MemberSet set;
  for (const auto& entry : signatures) {
    // A certificate that nobody has checked yet may name anyone.
    if (entry.node.value < max_members) set.set(entry.node.value);
  }
  return set;
}

bool Certificate::has_signer(NodeId node) const {
  return std::any_of(signatures.begin(), signatures.end(), [node](const auto& entry) { return entry.node == node; });
}

namespace {

BatchPtr part_of(const Batch& batch, std::size_t from, std::size_t to, ProposalHeader header) {
  header.signature = {};
  auto out = std::make_shared<Batch>();
  out->header = header;
  const auto at = [&](std::size_t i) { return batch.requests->begin() + static_cast<std::ptrdiff_t>(i); };
  out->requests = std::make_shared<const Requests>(at(from), at(to));
  for (const auto& request : *out->requests)
    out->request_bytes += static_cast<std::uint32_t>(request->canonical.size());
  return out;
}

std::size_t count_until(const Batch& batch, Index last) {
  ZELL_CHECK(last >= batch.header.first && last < batch.header.end.index);
  return last.value - batch.header.first.value + 1;
}

}  // namespace

BatchPtr batch_until(const Batch& batch, const LogPoint& end) {
  auto header = batch.header;
  header.end = end;
  return part_of(batch, 0, count_until(batch, end.index), header);
}

BatchPtr batch_after(const Batch& batch, const LogPoint& parent) {
  auto header = batch.header;
  header.first = parent.index.next();
  header.parent_root = parent.root;
  return part_of(batch, count_until(batch, parent.index), batch.count(), header);
}

}  // namespace zell
