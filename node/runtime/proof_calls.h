#pragma once
// Inclusion and consistency proofs: the tree is in memory, old leaves come from the store.

#include <functional>

#include "node/consensus/replica.h"
#include "node/runtime/call_table.h"
#include "node/runtime/proof_index.h"
#include "node/runtime/recent_log.h"
#include "node/runtime/store_reads.h"

namespace zell {

/// Loop thread only. What it is given outlives it.
class ProofCalls {
 public:
  ProofCalls(const Replica& replica, StoreReads& reads, const RecentLog& recent, const ProofIndex& tree,
             CallTable& calls)
      : replica_(replica), reads_(reads), recent_(recent), tree_(tree), calls_(calls) {}

  CallId prove(std::variant<Index, RequestId> what, std::function<void(Result<InclusionProof>)> done);
  CallId prove_consistency(Index first, Index second, std::function<void(Result<ConsistencyProof>)> done);
  CallId read_evidence(std::function<void(Result<std::vector<EvidencePtr>>)> done);

 private:
  template <class T>
  struct Asking;
  struct Inclusion;
  struct Consistency;

  template <class Call>
  CallId open(std::shared_ptr<Call> call);
  template <class T>
  void finish(CallId id, Result<T> result);
  template <class T>
  void read_blocks(CallId id, std::vector<std::uint64_t> missing, void (ProofCalls::*go_on)(CallId));
  void find_request(CallId id, const RequestId& request);
  void start_inclusion(CallId id, Index index);
  void continue_inclusion(CallId id);
  void continue_consistency(CallId id);

  const Replica& replica_;
  StoreReads& reads_;
  const RecentLog& recent_;
  const ProofIndex& tree_;
  CallTable& calls_;
};

}  // namespace zell
