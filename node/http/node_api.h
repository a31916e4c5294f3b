#pragma once
// What the HTTP API asks of a node. The runtime implements it; the server calls it on the loop thread, and is answered
// there.

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "node/base/result.h"
#include "node/types/durable_state.h"
#include "node/wire/messages.h"

namespace zell {

class MetricsText;

/// Names a call that is still waiting, so that it can be given up. 0: nothing to give up.
using CallId = std::uint64_t;

/// Where one request stands on this node.
struct RequestReport {
  RequestId id;
  RequestState state{};    ///< unknown: this node has never seen it, or has forgotten it before it was final
  Index index;             ///< from sequenced on, else 0
  View view;               ///< from sequenced on
  std::string reason;      ///< when refused: a code, e.g. duplicate, nonce-too-old, busy, learner, stopped, bad-app,
                           ///< bad-payloads-root, request-too-large, bad-signature
  std::string hint;        ///< when refused: what to do; may be empty
  bool timed_out = false;  ///< the state waited for was not reached in time; `state` is what was reached
};

struct SubmitCall {
  Requests requests;  ///< decoded (digest, id and leaf are set), neither form nor signature checked; 1..4,096
  RequestState wait = RequestState::initialised;  ///< initialised, sequenced, locked or finalised
  std::chrono::milliseconds timeout{};  ///< how long to wait for `wait` at most; 0: answer with the state at hand
};
/// Either one report for each request, in order, or why the whole call was refused.
struct SubmitReply {
  std::vector<RequestReport> results;
  std::optional<Error> error;               ///< "busy" (429), or "learner", "stopped", "starting" (503)
  std::chrono::milliseconds retry_after{};  ///< with `error`: when to try again; 0: not worth trying here
};

struct LogQuery {
  Index from;                 ///< first index wanted, >= 1
  std::size_t max_bytes = 0;  ///< of canonical requests; passed over only to reach the first certificate
  bool unfinalised = false;   ///< also what is sequenced above the finalised log, if the page gets that far
  /// If there is nothing at `from` yet, wait for it at most so long, then answer with an empty page. With
  /// `unfinalised`, a sequenced batch ends the wait.
  std::chrono::milliseconds timeout{};
};
struct LogPage {
  std::vector<BatchPtr> finalised;  ///< contiguous, the first contains `from`; empty if nothing is final there
  std::optional<Certificate> fc;    ///< its point is the end of the last finalised batch; none if there is no batch
  std::vector<BatchPtr>
      unfinalised;        ///< contiguous, following `finalised` (or `from`, if that is above the finalised log)
  Index locked_index;     ///< unfinalised batches that end at or below it are locked, the others sequenced
  Index finalised_index;  ///< of this node now; may be above this page
};
/// Canonical bytes of its requests.
[[nodiscard]] inline std::size_t bytes_of(const LogPage& page) {
  std::size_t total = 0;
  for (const auto& batch : page.finalised) total += batch->request_bytes;
  for (const auto& batch : page.unfinalised) total += batch->request_bytes;
  return total;
}

/// That `request` is at `index` under the newest finality certificate.
struct InclusionProof {
  RequestPtr request;
  Index index;
  std::vector<Hash> path;   ///< RFC 6962 PATH(index - 1, leaves to certificate.point.index)
  Certificate certificate;  ///< an FC
};
/// That the log of `first` is a prefix of the log of `second`.
struct ConsistencyProof {
  LogPoint first, second;
  std::vector<Hash> path;                  ///< RFC 6962 PROOF(first, leaves to second)
  std::optional<Certificate> certificate;  ///< the newest FC, if its point is `second`
};

/// As users see it: member, learner or rejoined.
[[nodiscard]] std::string_view to_string(Standing standing);

struct PeerStatus {
  NodeId node;
  std::string name;
  bool up = false;
  std::int64_t since_unix_ms = 0;  ///< of the last change of `up`; 0: never up
  std::string why_down;            ///< the last error, may be empty
};

/// Why a view ended, as one member put it.
struct Complaint {
  NodeId node;
  Reason reason{};
  friend bool operator==(const Complaint&, const Complaint&) = default;
};

struct NodeStatus {
  std::string name;
  NodeId node;
  ClusterId cluster;
  std::string cluster_name;
  Epoch epoch;
  Standing standing{};
  std::optional<View> rejoins_above;  ///< a learner: it votes again in any later view; none: not known yet
  View view;
  bool active = false;
  NodeId leader;
  std::int64_t view_since_unix_ms = 0;
  std::vector<Complaint> view_because;  ///< who challenged the leader before this view's, by member; empty: not known
  LogPoint sequenced, locked, finalised;
  Index known_final;         ///< newest FC known, whose log may still be missing here
  std::uint64_t behind = 0;  ///< known_final - finalised, never below 0
  std::size_t pool_requests = 0, pool_bytes = 0;
  std::uint32_t view_timeout_ms = 0;
  std::optional<Reason> challenging;  ///< this node's own challenge of its view
  std::uint64_t evidence_count = 0;
  std::string stopped_code, stopped_why;  ///< empty while it takes part
  std::vector<PeerStatus> peers;          ///< every other member, in genesis order
  std::uint64_t uptime_ms = 0;
  std::int64_t pid = 0;
  std::string log_level;
  std::string version;  ///< of the program, e.g. "0.1.0"
  std::uint32_t protocol_version = 0;
};

/// healthy: the process does its work (false: stopped, disk failed). ready: healthy, active in its view, not behind by
/// much, and connected to enough members: a request sent here can become final.
struct Health {
  bool healthy = false, ready = false;
  std::string reason;  ///< why not; empty when ready
};

/// All of it on the loop thread. A callback runs once, on the loop thread, possibly before the call returns, never
/// after cancel(). When the node shuts down it answers what waits with "stopped", or the server is destroyed first and
/// cancels.
class NodeApi {
 public:
  virtual ~NodeApi() = default;

  [[nodiscard]] virtual const Genesis& genesis() const = 0;
  [[nodiscard]] virtual const SigningDomain& domain() const = 0;

  /// Checks and takes in requests. One that this node knows already is answered with where it stands.
  virtual CallId submit(SubmitCall call, std::function<void(SubmitReply)> done) = 0;

  /// `wait` unknown: answer at once. Otherwise until the request reaches `wait` (or is refused), also one that is not
  /// known here yet: it may arrive through another node.
  virtual CallId lookup(const RequestId& id, RequestState wait, std::chrono::milliseconds timeout,
                        std::function<void(Result<RequestReport>)> done) = 0;

  virtual CallId read_log(const LogQuery& query, std::function<void(Result<LogPage>)> done) = 0;

  /// Codes: "unknown-request", "not-final" (known, not final yet), "io".
  virtual CallId prove(std::variant<Index, RequestId> what, std::function<void(Result<InclusionProof>)> done) = 0;
  /// `second` 0: the newest finality certificate's index. Codes: "not-final" (above the finalised log), "bad-range",
  /// "io".
  virtual CallId prove_consistency(Index first, Index second, std::function<void(Result<ConsistencyProof>)> done) = 0;
  virtual CallId read_evidence(std::function<void(Result<std::vector<EvidencePtr>>)> done) = 0;

  /// Forgets a call: its callback is destroyed without running. Nothing happens if it was answered before. Requests
  /// that were taken in stay taken in.
  virtual void cancel(CallId call) = 0;

  /// Newest finality certificate whose log is here, if any.
  [[nodiscard]] virtual std::optional<Certificate> certificate() const = 0;
  [[nodiscard]] virtual NodeStatus status() const = 0;
  [[nodiscard]] virtual Health health() const = 0;
  /// What the node counts: METRICS.md.
  virtual void write_metrics(MetricsText& out) const = 0;
  /// For the counters: a client's request was refused before it could be submitted, with this code.
  virtual void note_unreadable(std::string_view reason) = 0;
};

}  // namespace zell
