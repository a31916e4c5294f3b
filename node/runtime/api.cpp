#include "node/runtime/api.h"

namespace zell {
namespace {

Error shutting_down() {
  return {"stopped", "this node is shutting down", "ask another node"};
}

}  // namespace

Api::Api(Parts parts, ProofIndex tree, Index start)
    : parts_(std::move(parts)),
      reads_(parts_.post_read, max_client_reads),
      tree_(std::move(tree)),
      recent_(start),
      calls_(parts_.loop, parts_.handles),
      requests_({parts_.replica, parts_.verifier, parts_.pool, reads_, recent_, calls_,
                 [&loop = parts_.loop] { return Instant{static_cast<std::int64_t>(uv_now(&loop)) * 1'000}; },
                 parts_.feed}),
      log_(parts_.replica, reads_, recent_, calls_),
      proofs_(parts_.replica, reads_, recent_, tree_, calls_) {
  ZELL_CHECK(tree_.size() == start.value);
}

// What still waits points into the parts that are about to go.
Api::~Api() {
  stop();
}

void Api::on_event(const Event& event) {
  if (auto* update = std::get_if<RequestUpdate>(&event)) requests_.on_update(*update);
  auto* finalised = std::get_if<Finalised>(&event);
  if (!finalised) return;
  recent_.add(finalised->batch);
  for (const auto& request : *finalised->batch->requests) tree_.append(request->leaf);
  requests_.on_finalised(*finalised->batch);
}

void Api::on_progress(const ReplicaStatus& status) {
  requests_.on_progress(status);
  log_.on_progress(status);
}

void Api::on_stored_final(Index index) {
  recent_.durable_to(index);
  tree_.forget_before(index.value);
}

void Api::stop() {
  stopping_ = true;
  calls_.stop_all();
}

CallId Api::submit(SubmitCall call, std::function<void(SubmitReply)> done) {
  if (!stopping_) return requests_.submit(std::move(call), std::move(done));
  SubmitReply reply;
  reply.error = shutting_down();
  done(std::move(reply));
  return 0;
}

CallId Api::lookup(const RequestId& id, RequestState wait, std::chrono::milliseconds timeout,
                   std::function<void(Result<RequestReport>)> done) {
  if (!stopping_) return requests_.lookup(id, wait, timeout, std::move(done));
  done(shutting_down());
  return 0;
}

CallId Api::read_log(const LogQuery& query, std::function<void(Result<LogPage>)> done) {
  if (!stopping_) return log_.read(query, std::move(done));
  done(shutting_down());
  return 0;
}

CallId Api::prove(std::variant<Index, RequestId> what, std::function<void(Result<InclusionProof>)> done) {
  if (!stopping_) return proofs_.prove(what, std::move(done));
  done(shutting_down());
  return 0;
}

CallId Api::prove_consistency(Index first, Index second, std::function<void(Result<ConsistencyProof>)> done) {
  if (!stopping_) return proofs_.prove_consistency(first, second, std::move(done));
  done(shutting_down());
  return 0;
}

CallId Api::read_evidence(std::function<void(Result<std::vector<EvidencePtr>>)> done) {
  if (!stopping_) return proofs_.read_evidence(std::move(done));
  done(shutting_down());
  return 0;
}

void Api::write_metrics(MetricsText& out) const {
  parts_.metrics(out);
  requests_.write_metrics(out);
  out.gauge("zell_client_calls", "Calls of clients that wait for something.", calls_.size());
}

void Api::cancel(CallId call) {
  calls_.remove(call);
}

}  // namespace zell
