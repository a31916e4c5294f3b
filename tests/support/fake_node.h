#pragma once
// A NodeApi over a Chain, without a cluster behind it: for tests of the HTTP server and of its clients.

#include <uv.h>

#include <algorithm>
#include <map>

#include "node/http/node_api.h"
#include "node/metrics/metrics_text.h"
#include "tests/support/chain.h"

namespace zell::testing {

/// Loop thread only. What the chain's newest certificate covers is final; batches after it are sequenced.
class FakeNode : public NodeApi {
 public:
  FakeNode(uv_loop_t* loop, Chain chain_in) : chain(std::move(chain_in)), loop_(loop), timer_(new uv_timer_t) {
    uv_timer_init(loop, timer_);
    timer_->data = this;
    uv_timer_start(timer_, [](uv_timer_t* timer) { static_cast<FakeNode*>(timer->data)->poll(); }, 5, 5);
  }
  ~FakeNode() override {
    uv_close(reinterpret_cast<uv_handle_t*>(timer_),
             [](uv_handle_t* handle) { delete reinterpret_cast<uv_timer_t*>(handle); });
  }

  const Genesis& genesis() const override { return chain.genesis; }
  const SigningDomain& domain() const override { return chain.domain; }

  CallId submit(SubmitCall call, std::function<void(SubmitReply)> done) override {
    ++submits;
    if (refuse_all) {
      done({{}, refuse_all, refuse_retry});
      return 0;
    }
    for (const auto& one : call.requests) {
      if (check_request_form(*one, chain.genesis.parameters).ok() &&
          check_request_signature(*one, secp256k1_scheme()).ok()) {
        taken.insert({one->id, one});
      }
    }
    if (finalise_at_once) finalise_taken();
    if (answer_waits_at_once) poll();
    return wait(call.timeout, [this, call, done](bool expired) {
      std::vector<RequestReport> reports;
      bool reached = true;
      for (const auto& one : call.requests) {
        reports.push_back(report_of(*one));
        auto& report = reports.back();
        if (tamper_report) tamper_report(report);
        if (report.state < call.wait) {
          reached = false;
          report.timed_out = true;
        }
      }
      if (!reached && !expired) return false;
      done({std::move(reports), std::nullopt, {}});
      return true;
    });
  }

  CallId lookup(const RequestId& id, RequestState state, std::chrono::milliseconds timeout,
                std::function<void(Result<RequestReport>)> done) override {
    return wait(timeout, [this, id, state, done](bool expired) {
      auto report = find(id);
      if (tamper_report) tamper_report(report);
      report.timed_out = report.state < state;
      if (report.timed_out && !expired) return false;
      done(report);
      return true;
    });
  }

  CallId read_log(const LogQuery& query, std::function<void(Result<LogPage>)> done) override {
    furthest_read = std::max(furthest_read, query.from);
    if (refuse_reads) {
      done(*refuse_reads);
      return 0;
    }
    return wait(query.timeout, [this, query, done](bool expired) {
      auto result = page(query);
      if (tamper_page) tamper_page(result);
      if (result.finalised.empty() && result.unfinalised.empty() && !expired) return false;
      done(std::move(result));
      return true;
    });
  }

  CallId prove(std::variant<Index, RequestId> what, std::function<void(Result<InclusionProof>)> done) override {
    Index index;
    if (const auto* id = std::get_if<RequestId>(&what)) {
      auto report = find(*id);
      if (report.state == RequestState::unknown) {
        done(Error{"unknown-request", "no such request", ""});
        return 0;
      }
      index = report.index;
    } else {
      index = std::get<Index>(what);
    }
    if (index.value == 0 || index > final_index()) {
      done(Error{"not-final", "not final yet", ""});
      return 0;
    }
    auto final_leaves = std::span(chain.leaves).first(final_index().value);
    InclusionProof proof{chain.all[index.value - 1], index, inclusion_proof(index.value - 1, final_leaves),
                         *certificate()};
    if (tamper_proof) tamper_proof(proof);
    done(std::move(proof));
    return 0;
  }

  CallId prove_consistency(Index first, Index second, std::function<void(Result<ConsistencyProof>)> done) override {
    auto end = second.value == 0 ? final_index() : second;
    if (first > end || end > final_index()) {
      done(Error{"not-final", "above the final log", ""});
      return 0;
    }
    ConsistencyProof proof{{first, chain.root_at(first.value)}, {end, chain.root_at(end.value)}, {}, std::nullopt};
    proof.path = consistency_proof(first.value, std::span(chain.leaves).first(end.value));
    if (end == final_index()) proof.certificate = certificate();
    if (tamper_consistency) tamper_consistency(proof);
    done(std::move(proof));
    return 0;
  }

  CallId read_evidence(std::function<void(Result<std::vector<EvidencePtr>>)> done) override {
    done(evidence);
    return 0;
  }

  void write_metrics(MetricsText& out) const override { out.gauge("fake_taken", "Requests taken in.", taken.size()); }
  void note_unreadable(std::string_view reason) override { ++unreadable[std::string(reason)]; }

  void cancel(CallId call) override {
    if (waits_.erase(call) > 0) ++cancelled;
  }

  std::optional<Certificate> certificate() const override {
    if (chain.certificates.empty()) return std::nullopt;
    auto out = chain.certificates.rbegin()->second;
    if (tamper_certificate) tamper_certificate(out);
    return out;
  }
  NodeStatus status() const override {
    NodeStatus out;
    out.name = "n1";
    out.cluster = chain.domain.cluster;
    out.cluster_name = "test";
    out.active = true;
    out.view = view_now;
    out.leader = leader_now;
    out.standing = Standing::member;
    out.finalised = out.locked = out.sequenced = chain.tip();
    out.peers.push_back({NodeId{1}, "n2", true, 1, ""});
    out.log_level = "info";
    out.version = "0.1.0";
    return out;
  }
  Health health() const override { return health_now; }

  /// Sequences and finalises everything that was taken in and is not in the log yet.
  void finalise_taken() {
    Requests fresh;
    for (const auto& [id, one] : taken) {
      if (find(id).index.value == 0) fresh.push_back(one);
    }
    if (!fresh.empty()) chain.append(std::move(fresh));
  }
  Index final_index() const { return chain.certificates.empty() ? Index{} : Index{chain.certificates.rbegin()->first}; }
  std::size_t waiting() const { return waits_.size(); }

  // ---- What a test may make of it

  /// Lies: called on what is about to be answered.
  std::function<void(LogPage&)> tamper_page;
  std::function<void(RequestReport&)> tamper_report;
  std::function<void(InclusionProof&)> tamper_proof;
  std::function<void(ConsistencyProof&)> tamper_consistency;
  std::function<void(Certificate&)> tamper_certificate;

  Chain chain;
  std::map<RequestId, RequestPtr> taken;
  View view_now;
  NodeId leader_now{};
  std::optional<Error> refuse_all, refuse_reads;
  Index furthest_read;  ///< highest `from` that the log was asked for
  std::chrono::milliseconds refuse_retry{};
  bool finalise_at_once = false;
  bool answer_waits_at_once = false;  ///< what a submission brings about is answered before it returns
  std::vector<EvidencePtr> evidence;
  Health health_now{true, true, ""};
  int submits = 0, cancelled = 0;
  std::map<std::string, int> unreadable;  ///< how often each reason was noted

 private:
  /// True: answered.
  using Attempt = std::function<bool(bool expired)>;
  struct Wait {
    std::uint64_t deadline_ms;
    Attempt attempt;
  };

  CallId wait(std::chrono::milliseconds timeout, Attempt attempt) {
    if (attempt(timeout.count() == 0)) return 0;
    waits_[++last_call_] = {uv_now(loop_) + static_cast<std::uint64_t>(timeout.count()), std::move(attempt)};
    return last_call_;
  }
  void poll() {
    std::vector<CallId> calls;
    for (const auto& [call, one] : waits_) calls.push_back(call);
    for (auto call : calls) {
      auto it = waits_.find(call);
      if (it == waits_.end()) continue;
      auto attempt = it->second.attempt;
      if (attempt(uv_now(loop_) >= it->second.deadline_ms)) waits_.erase(call);
    }
  }

  RequestReport find(const RequestId& id) const {
    for (std::size_t i = 0; i < chain.all.size(); ++i) {
      if (chain.all[i]->id != id) continue;
      Index index{i + 1};
      return {id, index <= final_index() ? RequestState::finalised : RequestState::sequenced, index, {}, "", "", false};
    }
    return {id, taken.count(id) ? RequestState::initialised : RequestState::unknown, {}, {}, "", "", false};
  }
  RequestReport report_of(const Request& request) const {
    auto report = find(request.id);
    if (report.state == RequestState::unknown) {
      report.state = RequestState::refused;
      auto form = check_request_form(request, chain.genesis.parameters);
      report.reason = form.ok() ? "bad-signature" : form.error().code;
    }
    return report;
  }

  LogPage page(const LogQuery& query) const {
    LogPage out;
    out.finalised_index = final_index();
    std::size_t bytes = 0;
    for (const auto& batch : chain.batches) {
      if (batch->header.end.index < query.from) continue;
      if (batch->header.end.index > final_index()) {
        if (query.unfinalised && (!out.fc || out.fc->point.index == final_index())) out.unfinalised.push_back(batch);
        continue;
      }
      if (out.fc && bytes + batch->request_bytes > query.max_bytes) break;
      bytes += batch->request_bytes;
      out.finalised.push_back(batch);
      auto certificate = chain.certificates.find(batch->header.end.index.value);
      if (certificate != chain.certificates.end()) out.fc = certificate->second;
    }
    // Up to the last certificate that was reached.
    while (!out.finalised.empty() && out.finalised.back()->header.end != out.fc->point) out.finalised.pop_back();
    return out;
  }

  uv_loop_t* loop_;
  uv_timer_t* timer_;
  CallId last_call_ = 0;
  std::map<CallId, Wait> waits_;
};

}  // namespace zell::testing
