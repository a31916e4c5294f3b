#pragma once
// A user's side of a cluster: submits, waits, follows the log. Trusts no node: what it says is final was checked
// against the genesis alone.

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "node/crypto/keys.h"
#include "node/crypto/log_tree.h"
#include "node/types/vote.h"
#include "node/wire/messages.h"

namespace zell {

/// Where to ask. The name is a label for messages.
struct ClientNode {
  std::string name;
  std::string url;  ///< "http://127.0.0.1:7101"
};

/// A node said what can't be true. It is not asked again.
struct NodeFault {
  std::string node;   ///< its name
  std::string field;  ///< which part of its answer, e.g. "certificate", "payloads", "index"
  std::string what;
};

/// Two finality certificates that no one log contains: a third of the stake is Byzantine.
struct Fork {
  Certificate a, b;
};

struct ClientOptions {
  std::chrono::milliseconds call_timeout{5'000};  ///< of a call that doesn't wait
  /// While a wait lasts, a node that has not brought it to its end is left for the next one after this.
  std::chrono::milliseconds patience{5'000};
  /// Also check the signature of each request of the log. Members did before they signed the certificate.
  bool check_request_signatures = false;
  std::function<void(const NodeFault&)> on_fault;  ///< called by the call that found it
};

/// What became of one request.
struct Outcome {
  RequestId id;
  RequestState state{};
  Index index;               ///< from sequenced on
  std::string reason, hint;  ///< when refused
  bool timed_out = false;    ///< the state waited for was not reached in time
  CertificatePtr
      certificate;   ///< finalised: the FC under which its inclusion was proven. Other states are a node's word.
  std::string node;  ///< who said so
};

struct ProvenRequest {
  RequestPtr request;
  Index index;
  CertificatePtr certificate;
  CompactRange before;     ///< of the log below it: what a LogReader goes on from
  std::vector<Hash> path;  ///< RFC 6962 PATH(index - 1, leaves to the certificate's index)
};

/// What a node holds above the final log: only its word, and it may still change. That the sender signed it was
/// checked.
struct PendingRequest {
  RequestPtr request;
  Index index;
  View view;
  RequestState state{};  ///< sequenced or locked; finalised if it became so meanwhile, unproven all the same
};

/// A signed proof that a member broke the rules, checked against the genesis.
struct ProvenFault {
  NodeId accused;
  EvidencePtr evidence;
};
struct ProvenFaults {
  std::vector<ProvenFault> faults;
  std::size_t without_bytes = 0;  ///< the node holds so many more, too large to be sent
};

/// A verified piece of the log.
struct LogEntries {
  Index first;
  Requests requests;           ///< first, first + 1, …; empty if nothing came in time
  CertificatePtr certificate;  ///< its point is the end of the piece; null if it is empty
  std::string node;
  CompactRange before;  ///< of the log below `first`
};

/// A prefix of the log that was verified before, e.g. by a reader in another process. REQUIRES: from a source that you
/// trust.
struct Checkpoint {
  CompactRange range;
};

struct ReadOptions {
  Index from{1};                         ///< first index wanted
  std::optional<Checkpoint> checkpoint;  ///< its size + 1 replaces `from`
  std::size_t node = 0;                  ///< which of the client's nodes is asked first
  bool only_node = false;                ///< no other one is asked
  std::size_t page_bytes = 1 << 20;      ///< 1..4 MiB
};

class Client;

/// Reads the final log, piece by piece, each checked: leaves recomputed, the root against a certificate of the
/// genesis's members. Must not outlive its Client, and is used on the same thread.
class LogReader {
 public:
  LogReader(LogReader&&) noexcept;
  LogReader& operator=(LogReader&&) noexcept;
  ~LogReader();

  /// What follows, or an empty piece if nothing became final within `wait`. Codes: see Client.
  [[nodiscard]] Result<LogEntries> next(std::chrono::milliseconds wait);
  [[nodiscard]] Index next_index() const;
  /// Of everything below next_index().
  [[nodiscard]] Checkpoint checkpoint() const;

 private:
  friend class Client;
  struct Impl;
  explicit LogReader(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// Blocking; one thread at a time, but for cancel(). Codes that any call may give: "unreachable" (no node answers),
/// "timed-out", "cancelled", "node-lied" (no node is left that did not), "safety-violation" (see fork()), and the
/// nodes' own.
class Client {
 public:
  /// REQUIRES: the genesis validates, and there is at least one node.
  Client(Genesis genesis, std::vector<ClientNode> nodes, ClientOptions options = {});
  ~Client();
  Client(Client&&) noexcept;

  /// Nonce: microseconds since 1970, rising with each call. REQUIRES: the secret is valid.
  [[nodiscard]] RequestPtr sign(const SecretKey& secret, std::string_view app, std::span<const Bytes> payloads);

  /// Sends signed requests, to one node after the other as needed, until each has reached `wait` or is refused by all,
  /// or the time is over (the outcome says timed_out: it may still become final; submitting again is safe). An outcome
  /// is finalised only with a certificate. One outcome a request, in order. An error only if no node took any of them.
  [[nodiscard]] Result<std::vector<Outcome>> submit(std::span<const RequestPtr> requests, RequestState wait,
                                                    std::chrono::milliseconds timeout);
  /// Waits for a request that was submitted before, by anybody.
  [[nodiscard]] Result<Outcome> wait(const RequestId& id, RequestState state, std::chrono::milliseconds timeout);

  /// A final request with its proof. Codes: "unknown-request", "not-final".
  [[nodiscard]] Result<ProvenRequest> prove(const RequestId& id);
  [[nodiscard]] Result<ProvenRequest> prove(Index index);

  /// Starting above 1 without a checkpoint, the log below is not read: an inclusion proof gives what it needs of it.
  [[nodiscard]] Result<LogReader> read(ReadOptions options);

  /// Called between pieces with how far it is and how far it will go; false ends the call with "cancelled".
  using Progress = std::function<bool(Index done, Index target)>;
  /// Reads and checks one node's final log from `from` to `to`, or to the certificate that it has now if that comes
  /// first; it may go somewhat beyond. Null if nothing is final there. What is below `from` is not read: an inclusion
  /// proof stands for it. Requests are given to `visit` (may be empty) as they are verified. Code "not-final": `from`
  /// is above what is final there.
  [[nodiscard]] Result<CertificatePtr> verify_log(std::size_t node, const Progress& progress,
                                                  const std::function<void(const LogEntries&)>& visit = {},
                                                  Index from = {1}, Index to = {UINT64_MAX});
  /// The newest finality certificate of a node, verified, and checked to be of one log with all those seen before.
  [[nodiscard]] Result<CertificatePtr> newest_certificate(std::size_t node);

  /// What a node holds at `from` and above that is not final yet: a page of it.
  [[nodiscard]] Result<std::vector<PendingRequest>> pending(std::size_t node, Index from);
  /// The proofs of faults that a node holds, each checked.
  [[nodiscard]] Result<ProvenFaults> evidence(std::size_t node);

  /// Everything that nodes were found out with.
  [[nodiscard]] const std::vector<NodeFault>& faults() const;
  /// Set once a call gave "safety-violation"; every later call gives it too.
  [[nodiscard]] const std::optional<Fork>& fork() const;
  [[nodiscard]] const Genesis& genesis() const;
  [[nodiscard]] const std::vector<ClientNode>& nodes() const;

  /// Ends the running call, and every later one, with "cancelled". Any thread.
  void cancel();

 private:
  friend class LogReader;
  std::unique_ptr<class ClientSession> session_;
};

}  // namespace zell
