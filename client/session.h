#pragma once
// What a Client and its LogReaders share: the nodes and which of them lied, the certificates seen, the connection.

#include <condition_variable>
#include <map>
#include <mutex>
#include <variant>

#include "client/client.h"
#include "client/http.h"
#include "client/proofs.h"
#include "client/rising_nonces.h"
#include "node/wire/verifier.h"

namespace zell {

class ClientSession {
 public:
  ClientSession(Genesis genesis, std::vector<ClientNode> nodes, ClientOptions options);

  // ---- Nodes, by their position. Errors of code "node-lied" have been reported and bar the node.

  /// Those that have not lied, `first` ahead of the others.
  [[nodiscard]] std::vector<std::size_t> candidates(std::size_t first, bool only_first = false) const;
  /// Remembers and reports that the node's answer is wrong in the field `wrong.code`; gives "node-lied".
  Error lied(std::size_t node, const Error& wrong);
  /// What to say when no candidate could answer: `last`, or that all of them lied.
  [[nodiscard]] Error nobody(const std::optional<Error>& last) const;

  [[nodiscard]] Result<std::string> get(std::size_t node, const std::string& target,
                                        std::chrono::milliseconds wait = {}, std::size_t max_reply_bytes = 8 << 20);
  [[nodiscard]] Result<std::vector<RequestClaim>> submit(std::size_t node, std::span<const RequestPtr> requests,
                                                         RequestState wait, std::chrono::milliseconds timeout);
  [[nodiscard]] Result<RequestClaim> lookup(std::size_t node, const RequestId& id, RequestState wait,
                                            std::chrono::milliseconds timeout);
  /// Checked, and of one history with all certificates seen before.
  [[nodiscard]] Result<ProvenRequest> prove(std::size_t node, const std::variant<Index, RequestId>& what);
  /// The same for a request that the node says is finalised at `index`: if it can't prove that, it lied.
  [[nodiscard]] Result<ProvenRequest> prove_claim(std::size_t node, const RequestId& id, Index index);
  [[nodiscard]] Result<CertificatePtr> certificate(std::size_t node);
  [[nodiscard]] Result<std::vector<PendingRequest>> pending(std::size_t node, Index from);
  [[nodiscard]] Result<ProvenFaults> evidence(std::size_t node);
  /// What follows `range` in the log, checked likewise; on success `range` has grown.
  [[nodiscard]] Result<LogEntries> read(std::size_t node, CompactRange& range, std::size_t page_bytes,
                                        std::chrono::milliseconds wait);

  // ---- At whichever node can

  [[nodiscard]] Result<ProvenRequest> prove_anywhere(const std::variant<Index, RequestId>& what, std::size_t first,
                                                     bool only_first);
  [[nodiscard]] Result<Outcome> wait(const RequestId& id, RequestState state, std::chrono::milliseconds timeout);

  /// "cancelled" or "safety-violation", or Ok.
  [[nodiscard]] Status usable() const;
  /// False if it was cancelled meanwhile.
  bool pause(std::chrono::milliseconds time);
  void cancel();

  const Genesis genesis;
  const std::vector<ClientNode> nodes;
  const ClientOptions options;
  const Verifier verifier;
  std::vector<NodeFault> faults;
  std::optional<Fork> fork;
  RisingNonces nonces;

 private:
  /// Asks one node and fills in what it says, and proves.
  [[nodiscard]] Status wait_at(std::size_t node, RequestState state, std::chrono::milliseconds timeout,
                               Outcome& outcome);
  [[nodiscard]] Result<ProvenRequest> check_proof(std::size_t node, const std::variant<Index, RequestId>& what,
                                                  const std::string& answer);
  [[nodiscard]] HttpCall call(std::chrono::milliseconds wait, std::size_t max_reply_bytes) const;
  /// get(), again for a short while if the node says that something is not final yet that it has a certificate for: its
  /// store may be a moment behind what it knows.
  [[nodiscard]] Result<std::string> get_soon(std::size_t node, const std::string& target);
  [[nodiscard]] Result<std::string> taken(Result<HttpReply> reply);
  /// Compares with what was seen before; asks `node` for a consistency proof where the index is new.
  [[nodiscard]] Status reconcile(std::size_t node, const CertificatePtr& certificate);
  /// "safety-violation" if `node` proves that the log of `newer` has another root where `older` is; "node-lied" if it
  /// proves nothing; Ok if it proves that they are of one log.
  /// `patient`: see get_soon.
  [[nodiscard]] Status compare(std::size_t node, const CertificatePtr& older, const CertificatePtr& newer,
                               bool patient = true);
  /// The same, at the first node that can say.
  [[nodiscard]] Status compare_at_any(const CertificatePtr& older, const CertificatePtr& newer);
  /// Compares a certificate of requests that don't follow what was read with the known one nearest to `size`.
  [[nodiscard]] Status compare_nearest(std::size_t node, std::uint64_t size, const CertificatePtr& certificate);
  [[nodiscard]] Status compare_with_piece(const CompactRange& before, const LogEntries& piece);
  Error forked(const Certificate& a, const Certificate& b);
  void remember(const CertificatePtr& certificate);

  HttpClient http_;
  std::vector<bool> barred_;
  std::map<Index, CertificatePtr> known_;  ///< of one history; bounded
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  bool cancelled_ = false;  // under mutex_
};

}  // namespace zell
