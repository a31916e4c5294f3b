#pragma once
// Submitting requests, and following them until they are where a client wants them.

#include <set>
#include <unordered_map>

#include "node/consensus/replica.h"
#include "node/metrics/counts_by_label.h"
#include "node/runtime/admission.h"
#include "node/runtime/call_table.h"
#include "node/runtime/recent_log.h"
#include "node/runtime/store_reads.h"
#include "node/runtime/work_pool.h"

namespace zell {

inline constexpr std::size_t requests_per_check = 64;  ///< one job on the pool: some 3 ms
inline constexpr std::size_t max_checking_bytes = 64u
                                                  << 20;  ///< of clients' requests whose signatures are not checked yet
inline constexpr std::size_t max_checking_jobs = 1'024;

/// Loop thread only. What it is given outlives it.
class RequestCalls {
 public:
  struct Parts {
    const Replica& replica;
    const Verifier& verifier;
    WorkPool& pool;
    StoreReads& reads;
    const RecentLog& recent;
    CallTable& calls;
    std::function<Instant()> now;
    std::function<void(Input)> feed;  ///< gives the core an input; its events come back before or after this returns
  };
  explicit RequestCalls(Parts parts) : parts_(std::move(parts)) {}

  CallId submit(SubmitCall call, std::function<void(SubmitReply)> done);
  CallId lookup(const RequestId& id, RequestState wait, std::chrono::milliseconds timeout,
                std::function<void(Result<RequestReport>)> done);

  // What the core says.
  void on_update(const RequestUpdate& update);
  void on_finalised(const Batch& batch);
  /// After steps: `status` may say that more is sequenced or locked.
  void on_progress(const ReplicaStatus& status);

  void count_refused(std::string_view reason, std::size_t count) { refused_.add(reason, count); }
  void write_metrics(MetricsText& out) const;

 private:
  struct Following;  ///< a call and the requests that it waits for
  struct Submission;
  struct Slot {
    CallId call = 0;
    std::size_t position = 0;
  };

  [[nodiscard]] bool can_check(const Requests& requests, std::size_t bytes) const;
  [[nodiscard]] bool is_known(const RequestId& id) const;
  [[nodiscard]] bool submission_waits(const RequestId& id) const;
  void take_in(const std::shared_ptr<Submission>& submission, const std::vector<RequestId>& ids);
  void check(const std::shared_ptr<Submission>& submission, std::size_t chunk);
  void take_checked(const std::shared_ptr<Submission>& submission);
  void take_chunk(const Submission& submission, std::size_t chunk);
  void apply(Slot slot, RequestReport report);
  void settle(Slot slot, RequestReport report);
  void resolve_final(Slot slot, RequestReport otherwise);
  void forget(const RequestId& id, CallId call);
  [[nodiscard]] RequestReport report_of(const RequestUpdate& update) const;
  [[nodiscard]] std::vector<Slot> slots_of(const RequestId& id) const;

  Parts parts_;
  std::unordered_multimap<RequestId, Slot> waiting_;
  std::set<std::pair<RequestId, CallId>> polled_;       ///< of lookups: the core does not report what others took in
  std::set<std::pair<Index, RequestId>> until_locked_;  ///< sequenced, and waited for to be locked
  LogPoint seen_sequenced_, seen_locked_;
  Admission admission_;
  std::size_t in_pool_ = 0;  ///< requests submitted here that the core holds
  std::size_t checking_ = 0, checking_bytes_ = 0, checking_jobs_ = 0;
  CountsByLabel refused_{
      "reason",
      {"bad-app", "bad-payloads-root", "bad-signature", "busy", "duplicate", "learner", "no-payloads", "nonce-too-old",
       "other-cluster", "request-too-large", "stopped", "too-many-payloads"}};
};

/// What to do about a refusal, for a client; "" if there is nothing to say.
[[nodiscard]] std::string_view hint_for(std::string_view reason);

}  // namespace zell
