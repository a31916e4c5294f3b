#include "client/session.h"

#include <algorithm>

#include "node/wire/codec.h"
#include "node/wire/request_codec.h"

namespace zell {

namespace {

/// Certificates kept to compare others with. Old ones go first.
constexpr std::size_t max_known = 1'024;
constexpr std::size_t max_json_reply_bytes = 8 << 20;

std::string hex(const RequestId& id) {
  return to_hex0x(id.view());
}

std::string wait_parameters(RequestState wait, std::chrono::milliseconds timeout) {
  return "?wait=" + std::string(to_string(wait)) + "&timeout_ms=" + std::to_string(timeout.count());
}

}  // namespace

ClientSession::ClientSession(Genesis genesis_in, std::vector<ClientNode> nodes_in, ClientOptions options_in)
    : genesis(std::move(genesis_in)),
      nodes(std::move(nodes_in)),
      options(std::move(options_in)),
      verifier(genesis, secp256k1_scheme(), nullptr),
      barred_(nodes.size(), false) {
  ZELL_CHECK(!nodes.empty());
}

std::vector<std::size_t> ClientSession::candidates(std::size_t first, bool only_first) const {
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    auto node = (first + i) % nodes.size();
    if (!barred_[node] && (!only_first || i == 0)) out.push_back(node);
  }
  return out;
}

Error ClientSession::lied(std::size_t node, const Error& wrong) {
  barred_[node] = true;
  faults.push_back({nodes[node].name, wrong.code, wrong.what});
  if (options.on_fault) options.on_fault(faults.back());
  return {"node-lied", nodes[node].name + ": " + wrong.code + ": " + wrong.what, "it is not asked again"};
}

Error ClientSession::nobody(const std::optional<Error>& last) const {
  if (last) return *last;
  return {"node-lied", "every node that could be asked has given a wrong answer",
          "is this the right genesis file for these nodes?"};
}

Status ClientSession::usable() const {
  std::lock_guard lock(mutex_);
  if (cancelled_) return Error{"cancelled", "the call was cancelled", ""};
  if (fork) {
    return Error{"safety-violation",
                 "two finality certificates contradict each other, at #" + std::to_string(fork->a.point.index.value) +
                     " and #" + std::to_string(fork->b.point.index.value),
                 "a third of the stake is Byzantine: stop, and keep both certificates"};
  }
  return Ok{};
}

bool ClientSession::pause(std::chrono::milliseconds time) {
  std::unique_lock lock(mutex_);
  return !wake_.wait_for(lock, time, [this] { return cancelled_; });
}

void ClientSession::cancel() {
  {
    std::lock_guard lock(mutex_);
    cancelled_ = true;
  }
  wake_.notify_all();
  http_.cancel();
}

HttpCall ClientSession::call(std::chrono::milliseconds wait, std::size_t max_reply_bytes) const {
  HttpCall out;
  out.timeout = options.call_timeout + wait;
  out.max_reply_bytes = max_reply_bytes;
  return out;
}

Result<std::string> ClientSession::taken(Result<HttpReply> reply) {
  auto good = expect_ok(std::move(reply));
  if (!good) return good.error();
  return std::move(good->body);
}

Result<std::string> ClientSession::get(std::size_t node, const std::string& target, std::chrono::milliseconds wait,
                                       std::size_t max_reply_bytes) {
  return taken(http_.get(nodes[node].url + target, call(wait, max_reply_bytes)));
}

Result<std::vector<RequestClaim>> ClientSession::submit(std::size_t node, std::span<const RequestPtr> requests,
                                                        RequestState wait, std::chrono::milliseconds timeout) {
  std::string body;
  for (const auto& one : requests) body += as_text(one->canonical);
  auto how = call(timeout, max_json_reply_bytes);
  how.content_type = "application/octet-stream";
  auto answer = taken(http_.post(nodes[node].url + "/v1/requests" + wait_parameters(wait, timeout), body, how));
  if (!answer) return answer.error();
  auto claims = read_submit_answer(*answer);
  if (!claims) return lied(node, claims.error());
  if (claims->size() != requests.size()) return lied(node, {"results", "not one result for each request", ""});
  for (std::size_t i = 0; i < requests.size(); ++i) {
    if ((*claims)[i].id != requests[i]->id) return lied(node, {"id", "the result of another request", ""});
  }
  return claims;
}

Result<RequestClaim> ClientSession::lookup(std::size_t node, const RequestId& id, RequestState wait,
                                           std::chrono::milliseconds timeout) {
  auto answer = get(node, "/v1/requests/" + hex(id) + wait_parameters(wait, timeout), timeout);
  if (!answer) return answer.error();
  auto claim = read_lookup_answer(*answer);
  if (!claim) return lied(node, claim.error());
  if (claim->id != id) return lied(node, {"id", "the answer is about another request", ""});
  return claim;
}

Result<std::string> ClientSession::get_soon(std::size_t node, const std::string& target) {
  constexpr int tries = 20;
  constexpr std::chrono::milliseconds between{100};
  for (int i = 1;; ++i) {
    auto answer = get(node, target);
    bool early = !answer && (answer.error().code == "not-final" || answer.error().code == "unknown-request");
    if (!early || i == tries || !pause(between)) return answer;
  }
}

Result<ProvenRequest> ClientSession::prove(std::size_t node, const std::variant<Index, RequestId>& what) {
  const auto* id = std::get_if<RequestId>(&what);
  auto answer = get(node, id ? "/v1/requests/" + hex(*id) + "/proof"
                             : "/v1/proof/inclusion?index=" + std::to_string(std::get<Index>(what).value));
  if (!answer) return answer.error();
  return check_proof(node, what, *answer);
}

Result<ProvenRequest> ClientSession::prove_claim(std::size_t node, const RequestId& id, Index index) {
  auto answer = get_soon(node, "/v1/requests/" + hex(id) + "/proof");
  if (!answer) {
    const auto& code = answer.error().code;
    if (code != "unknown-request" && code != "not-final") return answer.error();
    return lied(node, {"state", "it says that a request is finalised and can't prove it", ""});
  }
  auto proven = check_proof(node, id, *answer);
  if (proven && proven->index != index) {
    return lied(
        node,
        {"index",
         "the request is at #" + std::to_string(proven->index.value) + ", not at #" + std::to_string(index.value), ""});
  }
  return proven;
}

Result<ProvenRequest> ClientSession::check_proof(std::size_t node, const std::variant<Index, RequestId>& what,
                                                 const std::string& answer) {
  const auto* id = std::get_if<RequestId>(&what);
  auto claim = read_inclusion_answer(answer, verifier.domain());
  if (!claim) return lied(node, claim.error());
  if (id ? claim->request->id != *id : claim->index != std::get<Index>(what)) {
    return lied(node, {id ? "id" : "index", "the proof is of another request", ""});
  }
  auto proven = check_inclusion(std::move(*claim), verifier, options.check_request_signatures);
  if (!proven) return lied(node, proven.error());
  if (auto same = reconcile(node, proven->certificate); !same) return same.error();
  return proven;
}

Result<CertificatePtr> ClientSession::certificate(std::size_t node) {
  auto answer = get(node, "/v1/certificate");
  if (!answer) return answer.error();
  auto claim = read_certificate_answer(*answer);
  if (!claim) return lied(node, claim.error());
  if (!*claim) return CertificatePtr();
  auto certificate = std::make_shared<const Certificate>(std::move(**claim));
  if (auto checked = verifier.check_certificate(*certificate); !checked) {
    return lied(node, {"certificate", checked.error().what, ""});
  }
  if (auto same = reconcile(node, certificate); !same) return same.error();
  return certificate;
}

Result<LogEntries> ClientSession::read(std::size_t node, CompactRange& range, std::size_t page_bytes,
                                       std::chrono::milliseconds wait) {
  auto how = call(wait, max_frame_bytes);
  how.accept = "application/octet-stream";
  auto target = "/v1/log?from=" + std::to_string(range.size() + 1) + "&max_bytes=" + std::to_string(page_bytes) +
                "&wait_ms=" + std::to_string(wait.count());
  auto answer = taken(http_.get(nodes[node].url + target, how));
  if (!answer) return answer.error();
  auto message = decode_message(as_bytes(*answer), {verifier.domain(), genesis.parameters, genesis.size()});
  if (!message) return lied(node, {"page", message.error().what, ""});
  const auto* chunk = std::get_if<Chunk>(&*message);
  if (!chunk) return lied(node, {"page", "it is another message", ""});
  auto grown = range;
  auto piece = check_chunk(*chunk, grown, verifier, options.check_request_signatures);
  if (!piece) {
    // Wrong requests under a true certificate: a lie, or another history that is certified too.
    if (piece.error().code == "root") {
      auto same = compare_nearest(node, range.size(), std::make_shared<Certificate>(*chunk->fc));
      if (!same) return same.error();
    }
    return lied(node, piece.error());
  }
  piece->node = nodes[node].name;
  if (piece->requests.empty()) return piece;
  if (auto same = compare_with_piece(range, *piece); !same) return same.error();
  remember(piece->certificate);
  range = std::move(grown);
  return piece;
}

Result<std::vector<PendingRequest>> ClientSession::pending(std::size_t node, Index from) {
  // A page holds one batch at least, and each may be twice as long in hexadecimal.
  constexpr std::size_t max_page_reply = 32 << 20;
  auto answer = get(node, "/v1/log?unfinalised=1&from=" + std::to_string(from.value), std::chrono::milliseconds(0),
                    max_page_reply);
  if (!answer) return answer.error();
  auto claim = read_pending_answer(*answer, verifier.domain());
  if (!claim) return lied(node, claim.error());
  for (const auto& entry : *claim) {
    auto form = check_request_form(*entry.request, genesis.parameters);
    if (!form) return lied(node, {"payloads", form.error().what, ""});
    if (auto checked = verifier.check(entry.request); !checked)
      return lied(node, {"signature", checked.error().what, ""});
  }
  return claim;
}

Result<ProvenFaults> ClientSession::evidence(std::size_t node) {
  constexpr std::size_t max_evidence_reply = 24 << 20;  // the API sends 16 MiB of it at most, and a line about each
  auto answer = get(node, "/v1/evidence", {}, max_evidence_reply);
  if (!answer) return answer.error();
  auto claim = read_evidence_answer(*answer, {verifier.domain(), genesis.parameters, genesis.size()});
  if (!claim) return lied(node, claim.error());
  ProvenFaults out;
  out.without_bytes = claim->without_bytes;
  for (auto& one : claim->evidence) {
    auto accused = verifier.check_evidence(*one);
    if (!accused) return lied(node, {"evidence", accused.error().what, ""});
    out.faults.push_back({*accused, std::move(one)});
  }
  return out;
}

// ---- One history

Error ClientSession::forked(const Certificate& a, const Certificate& b) {
  fork = Fork{a, b};
  return usable().error();
}

void ClientSession::remember(const CertificatePtr& certificate) {
  known_[certificate->point.index] = certificate;
  if (known_.size() > max_known) known_.erase(known_.begin());
}

Status ClientSession::reconcile(std::size_t node, const CertificatePtr& certificate) {
  auto index = certificate->point.index;
  auto same = known_.find(index);
  if (same != known_.end()) {
    if (same->second->point.root != certificate->point.root) return forked(*same->second, *certificate);
    return Ok{};
  }
  if (!known_.empty()) {
    auto above = known_.upper_bound(index);
    // A node can prove what its own log is a continuation of. It may be behind what others have shown: then the next
    // certificate above is compared at whoever has that.
    if (above == known_.end()) {
      if (auto compared = compare(node, known_.rbegin()->second, certificate); !compared) return compared;
    } else if (auto compared = compare_at_any(certificate, above->second); !compared) {
      return compared;
    }
  }
  remember(certificate);
  return Ok{};
}

Status ClientSession::compare_at_any(const CertificatePtr& older, const CertificatePtr& newer) {
  for (auto node : candidates(0)) {
    auto compared = compare(node, older, newer, /*patient=*/false);
    if (compared || compared.error().code == "safety-violation" || compared.error().code == "cancelled")
      return compared;
  }
  return Ok{};
}

Status ClientSession::compare(std::size_t node, const CertificatePtr& older, const CertificatePtr& newer,
                              bool patient) {
  const auto& a = older->point;
  const auto& b = newer->point;
  ZELL_CHECK(a.index <= b.index);
  if (a.index == b.index) return a.root == b.root ? Status(Ok{}) : Status(forked(*older, *newer));
  if (a.index.value == 0) return Ok{};
  auto target =
      "/v1/proof/consistency?first=" + std::to_string(a.index.value) + "&second=" + std::to_string(b.index.value);
  auto answer = patient ? get_soon(node, target) : get(node, target);
  if (!answer) return answer.error();
  auto claim = read_consistency_answer(*answer);
  if (!claim) return lied(node, claim.error());
  if (!verify_consistency(a.index.value, claim->first.root, b.index.value, b.root, claim->path)) {
    return lied(node, {"path", "the consistency proof does not hold", ""});
  }
  // The log that `newer` certifies has this root at a.index: the proof says so, whoever gave it.
  if (claim->first.root != a.root) return forked(*older, *newer);
  return Ok{};
}

Status ClientSession::compare_nearest(std::size_t node, std::uint64_t size, const CertificatePtr& certificate) {
  if (known_.empty()) return Ok{};
  auto nearest = known_.upper_bound(Index{size});
  if (nearest != known_.begin()) --nearest;
  bool above = nearest->first > certificate->point.index;
  return above ? compare(node, certificate, nearest->second) : compare(node, nearest->second, certificate);
}

Status ClientSession::compare_with_piece(const CompactRange& before, const LogEntries& piece) {
  auto last = known_.upper_bound(piece.certificate->point.index);
  auto range = before;
  auto next = piece.requests.begin();
  for (auto it = known_.upper_bound(Index{before.size()}); it != last; ++it) {
    while (range.size() < it->first.value) range.append((*next++)->leaf);
    if (range.root() != it->second->point.root) return forked(*it->second, *piece.certificate);
  }
  return Ok{};
}

}  // namespace zell
