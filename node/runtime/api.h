#pragma once
// The node as its HTTP API sees it.

#include "node/http/node_api.h"
#include "node/runtime/log_calls.h"
#include "node/runtime/proof_calls.h"
#include "node/runtime/request_calls.h"

namespace zell {

inline constexpr std::size_t max_client_reads = 128;  ///< of the store, at once; the rest of its queue is for peers

/// Loop thread only. What it is given outlives it.
class Api : public NodeApi {
 public:
  struct Parts {
    uv_loop_t& loop;
    HandleCountPtr handles;
    const Replica& replica;
    const Verifier& verifier;
    WorkPool& pool;
    StoreReads::Post post_read;
    std::function<void(Input)> feed;
    std::function<NodeStatus()> status;  ///< of the whole node
    std::function<Health()> health;
    std::function<void(MetricsText&)> metrics;
  };
  /// `tree` and `start` are the finalised log as the store has it.
  Api(Parts parts, ProofIndex tree, Index start);
  ~Api() override;

  /// What the core says, in order; then once after a run of steps.
  void on_event(const Event& event);
  void on_progress(const ReplicaStatus& status);
  /// The store has the finality certificate of this index.
  void on_stored_final(Index index);
  /// Of the finalised log.
  [[nodiscard]] const ProofIndex& tree() const { return tree_; }
  /// Answers all that waits with "stopped".
  void stop();

  [[nodiscard]] const Genesis& genesis() const override { return parts_.verifier.genesis(); }
  [[nodiscard]] const SigningDomain& domain() const override { return parts_.verifier.domain(); }
  CallId submit(SubmitCall call, std::function<void(SubmitReply)> done) override;
  CallId lookup(const RequestId& id, RequestState wait, std::chrono::milliseconds timeout,
                std::function<void(Result<RequestReport>)> done) override;
  CallId read_log(const LogQuery& query, std::function<void(Result<LogPage>)> done) override;
  CallId prove(std::variant<Index, RequestId> what, std::function<void(Result<InclusionProof>)> done) override;
  CallId prove_consistency(Index first, Index second, std::function<void(Result<ConsistencyProof>)> done) override;
  CallId read_evidence(std::function<void(Result<std::vector<EvidencePtr>>)> done) override;
  void cancel(CallId call) override;
  [[nodiscard]] std::optional<Certificate> certificate() const override { return parts_.replica.finality(); }
  [[nodiscard]] NodeStatus status() const override { return parts_.status(); }
  [[nodiscard]] Health health() const override { return parts_.health(); }
  void write_metrics(MetricsText& out) const override;
  void note_unreadable(std::string_view reason) override { requests_.count_refused(reason, 1); }

 private:
  Parts parts_;
  StoreReads reads_;
  ProofIndex tree_;
  RecentLog recent_;
  bool stopping_ = false;
  // The calls point into the parts above, and wait in the table.
  CallTable calls_;
  RequestCalls requests_;
  LogCalls log_;
  ProofCalls proofs_;
};

}  // namespace zell
