#include "node/runtime/proof_calls.h"

#include <algorithm>

namespace zell {
namespace {

Error not_final(Index index) {
  return {"not-final", "index " + std::to_string(index.value) + " is not final on this node", "try again later"};
}

/// The leaves of whole blocks; each must be complete.
Result<LeafBlocks> read_leaf_blocks(Store& store, const std::vector<std::uint64_t>& blocks) {
  LeafBlocks out;
  for (auto block : blocks) {
    Index first{block * ProofIndex::block_leaves + 1}, last{(block + 1) * ProofIndex::block_leaves};
    auto leaves = store.read_leaves(first, last);
    if (!leaves.ok()) return leaves.error();
    if (leaves->size() != ProofIndex::block_leaves) {
      return Error{"io", "the log lacks some of " + std::to_string(first.value) + " to " + std::to_string(last.value),
                   ""};
    }
    out.emplace(block, std::move(*leaves));
  }
  return out;
}

Result<RequestPtr> read_request_at(Store& store, Index index) {
  auto range = store.read_finalised(index, 1);
  if (!range.ok()) return range.error();
  if (range->batches.empty()) return Error{"io", "the log lacks index " + std::to_string(index.value), ""};
  const auto& batch = *range->batches.front();
  return (*batch.requests)[index.value - batch.header.first.value];
}

/// What of `wanted` is not in `have`.
std::vector<std::uint64_t> without(std::vector<std::uint64_t> wanted, const LeafBlocks& have) {
  std::erase_if(wanted, [&](std::uint64_t block) { return have.contains(block); });
  return wanted;
}

}  // namespace

template <class T>
struct ProofCalls::Asking : OpenCall {
  explicit Asking(std::function<void(Result<T>)> done_in) : done(std::move(done_in)) {}
  void time_out() override {}  // has no deadline
  void stop() override { done(Error{"stopped", "this node is shutting down", "ask another node"}); }

  std::function<void(Result<T>)> done;
  LeafBlocks blocks;
};

struct ProofCalls::Inclusion : Asking<InclusionProof> {
  using Asking::Asking;
  InclusionProof proof;
};

struct ProofCalls::Consistency : Asking<ConsistencyProof> {
  using Asking::Asking;
  ConsistencyProof proof;
};

template <class Call>
CallId ProofCalls::open(std::shared_ptr<Call> call) {
  if (!calls_.full()) return calls_.add(std::move(call), std::nullopt);
  call->done(Error{"busy", "too many calls wait here", "try again in a second, or another node"});
  return 0;
}

template <class T>
void ProofCalls::finish(CallId id, Result<T> result) {
  auto call = std::static_pointer_cast<Asking<T>>(calls_.remove(id));
  if (call) call->done(std::move(result));
}

template <class T>
void ProofCalls::read_blocks(CallId id, std::vector<std::uint64_t> missing, void (ProofCalls::*go_on)(CallId)) {
  auto work = [missing = std::move(missing)](Store& store) { return read_leaf_blocks(store, missing); };
  auto done = [this, id, go_on](Result<LeafBlocks> blocks) {
    auto call = calls_.find<Asking<T>>(id);
    if (!call) return;
    if (!blocks.ok()) return finish<T>(id, blocks.error());
    call->blocks.merge(*blocks);
    call.reset();
    (this->*go_on)(id);
  };
  reads_.read<LeafBlocks>(std::move(work), std::move(done));
}

CallId ProofCalls::prove(std::variant<Index, RequestId> what, std::function<void(Result<InclusionProof>)> done) {
  auto id = open(std::make_shared<Inclusion>(std::move(done)));
  if (id == 0) return 0;
  if (auto* index = std::get_if<Index>(&what)) {
    start_inclusion(id, *index);
  } else {
    find_request(id, std::get<RequestId>(what));
  }
  return id;
}

void ProofCalls::find_request(CallId id, const RequestId& request) {
  if (auto where = recent_.find(request)) return start_inclusion(id, where->index);
  if (replica_.lookup(request).state != RequestState::unknown) {
    return finish<InclusionProof>(id, Error{"not-final", "the request is not final on this node", "try again later"});
  }
  auto work = [request](Store& store) { return store.find_request(request); };
  auto found = [this, id, request](Result<std::optional<Index>> index) {
    if (!calls_.find<Inclusion>(id)) return;
    if (!index.ok()) return finish<InclusionProof>(id, index.error());
    if (*index) return start_inclusion(id, **index);
    if (auto where = recent_.find(request)) return start_inclusion(id, where->index);
    finish<InclusionProof>(id,
                           Error{"unknown-request", "this node knows no request of that id", "is it final elsewhere?"});
  };
  reads_.read<std::optional<Index>>(std::move(work), std::move(found));
}

void ProofCalls::start_inclusion(CallId id, Index index) {
  auto fc = replica_.finality();
  if (index.value == 0) return finish<InclusionProof>(id, Error{"bad-range", "the log starts at index 1", ""});
  if (!fc || index > fc->point.index || fc->point.index.value > tree_.size()) {
    return finish<InclusionProof>(id, not_final(index));
  }
  auto call = calls_.find<Inclusion>(id);
  if (!call) return;
  call->proof.index = index;
  call->proof.certificate = std::move(*fc);
  call->proof.request = recent_.request(index);
  bool stored = !call->proof.request;
  call.reset();
  if (!stored) return continue_inclusion(id);
  auto work = [index](Store& store) { return read_request_at(store, index); };
  auto done = [this, id](Result<RequestPtr> request) {
    auto waiting = calls_.find<Inclusion>(id);
    if (!waiting) return;
    if (!request.ok()) return finish<InclusionProof>(id, request.error());
    waiting->proof.request = std::move(*request);
    waiting.reset();
    continue_inclusion(id);
  };
  reads_.read<RequestPtr>(std::move(work), std::move(done));
}

void ProofCalls::continue_inclusion(CallId id) {
  auto call = calls_.find<Inclusion>(id);
  if (!call) return;
  auto position = call->proof.index.value - 1;
  auto size = call->proof.certificate.point.index.value;
  // Asked again each time: while the store was read, what was in memory may have been dropped from it.
  auto missing = without(tree_.missing_for_inclusion(position, size), call->blocks);
  if (!missing.empty()) {
    call.reset();
    return read_blocks<InclusionProof>(id, std::move(missing), &ProofCalls::continue_inclusion);
  }
  call->proof.path = tree_.inclusion(position, size, call->blocks);
  auto proof = std::move(call->proof);
  call.reset();
  finish<InclusionProof>(id, std::move(proof));
}

CallId ProofCalls::prove_consistency(Index first, Index second, std::function<void(Result<ConsistencyProof>)> done) {
  auto id = open(std::make_shared<Consistency>(std::move(done)));
  if (id == 0) return 0;
  auto fc = replica_.finality();
  auto newest = fc ? std::min(fc->point.index, Index{tree_.size()}) : Index{};
  if (second.value == 0) second = newest;
  if (first.value == 0 || (first > second && first <= newest)) {
    finish<ConsistencyProof>(
        id, Error{"bad-range", "a consistency proof goes from an index to a higher one", "1 <= first <= second"});
  } else if (std::max(first, second) > newest) {
    finish<ConsistencyProof>(id, not_final(std::max(first, second)));
  } else {
    auto call = calls_.find<Consistency>(id);
    call->proof.first.index = first;
    call->proof.second.index = second;
    if (second == fc->point.index) call->proof.certificate = std::move(fc);
    call.reset();
    continue_consistency(id);
  }
  return id;
}

void ProofCalls::continue_consistency(CallId id) {
  auto call = calls_.find<Consistency>(id);
  if (!call) return;
  auto first = call->proof.first.index.value, second = call->proof.second.index.value;
  auto missing = without(tree_.missing_for_consistency(first, second), call->blocks);
  if (!missing.empty()) {
    call.reset();
    return read_blocks<ConsistencyProof>(id, std::move(missing), &ProofCalls::continue_consistency);
  }
  call->proof.first.root = tree_.root(first, call->blocks);
  call->proof.second.root = tree_.root(second, call->blocks);
  call->proof.path = tree_.consistency(first, second, call->blocks);
  auto proof = std::move(call->proof);
  call.reset();
  finish<ConsistencyProof>(id, std::move(proof));
}

CallId ProofCalls::read_evidence(std::function<void(Result<std::vector<EvidencePtr>>)> done) {
  using List = std::vector<EvidencePtr>;
  auto id = open(std::make_shared<Asking<List>>(std::move(done)));
  if (id == 0) return 0;
  auto found = [this, id](Result<List> evidence) { finish<List>(id, std::move(evidence)); };
  reads_.read<List>([](Store& store) { return store.read_evidence(); }, std::move(found));
  return id;
}

}  // namespace zell
