#include "tests/simulation/liars/liar.h"

#include <algorithm>

#include "tests/simulation/clients.h"
#include "tests/simulation/liars/mutate.h"

namespace zell::simulation {
namespace {

using std::chrono::milliseconds;

/// The view that a message is of, if it is of one.
View view_of(const Message& message) {
  if (const auto* proposal = std::get_if<Proposal>(&message)) return proposal->header.view;
  if (const auto* heartbeat = std::get_if<Heartbeat>(&message)) return heartbeat->view;
  if (const auto* news = std::get_if<NewView>(&message)) return news->view;
  if (const auto* change = std::get_if<ViewChange>(&message)) return change->signed_part.view;
  if (const auto* certificate = std::get_if<CertificateMessage>(&message)) return certificate->certificate.view;
  return {};
}

}  // namespace

Liar::Liar(const Plan& plan, const LiarPlan& self, std::shared_ptr<Gang> gang)
    : plan_(self),
      behaviours_(self.behaviours),
      self_(self.node),
      gang_(std::move(gang)),
      genesis_(gang_->genesis),
      censored_(*gang_->scheme.public_key(user_key(plan.seed, censored_user))) {}

void Liar::to_all(const MessagePtr& message, Out& out) const {
  for (std::uint16_t i = 0; i < genesis_.size(); ++i) {
    if (i != self_.value) out.push_back({{i}, message});
  }
}

void Liar::tell(const MessagePtr& truth, NodeId to, Out& out) {
  if (keeps_silent(*truth, to)) return;
  auto first = out.size();
  if (const auto* proposal = std::get_if<Proposal>(truth.get()); proposal && leads(proposal->header.view)) {
    tell_proposal(truth, to, out);
  } else if (std::holds_alternative<CertificateMessage>(*truth)) {
    tell_certificate(truth, to, out);
  } else if (std::holds_alternative<Heartbeat>(*truth)) {
    tell_heartbeat(truth, to, out);
  } else if (const auto* news = std::get_if<NewView>(truth.get()); news && leads(news->view)) {
    tell_new_view(truth, to, out);
  } else if (const auto* vote = std::get_if<Vote>(truth.get()); vote && vote->signer == self_) {
    tell_vote(truth, to, out);
  } else if (const auto* change = std::get_if<ViewChange>(truth.get()); change && change->signed_part.node == self_) {
    tell_view_change(truth, to, out);
  } else if (std::holds_alternative<Chunk>(*truth)) {
    tell_chunk(truth, to, out);
  } else {
    out.push_back({to, truth});
  }
  for (auto i = first; i < out.size(); ++i) out[i].message = disguise(out[i].message);
  if (now_and_then(Behaviour::flood, 20'000) && out.size() > first) {
    lied(Behaviour::flood);
    Told again = out.back();
    for (int i = 0; i < 30; ++i) {
      again.delay = milliseconds(i);
      out.push_back(again);
    }
  }
}

/// One field changed, or a signature that only a careless verifier takes.
MessagePtr Liar::disguise(const MessagePtr& message) {
  if (now_and_then(Behaviour::mutate, 30'000)) {
    lied(Behaviour::mutate);
    Message copy = *message;
    mutate(copy, gang_->random);
    if (gang_->random.chance(700'000)) copy = gang_->sign(std::move(copy), self_);
    return std::make_shared<const Message>(std::move(copy));
  }
  if (const auto* vote = std::get_if<Vote>(message.get()); vote && now_and_then(Behaviour::malleate, 200'000)) {
    lied(Behaviour::malleate);
    Vote twin = *vote;
    twin.signature = malleated(vote->signature, gang_->random);
    return std::make_shared<const Message>(std::move(twin));
  }
  return message;
}

MessagePtr Liar::hear(const MessagePtr& message, NodeId from) {
  gang_->hear(message);
  view_ = std::max(view_, view_of(*message));
  if (const auto* vote = std::get_if<Vote>(message.get()); vote && leads(vote->view)) {
    std::vector<Certificate> certificates;
    gang_->count(*vote, certificates);
    for (auto& certificate : certificates) {
      ++told_[certificate.phase == Phase::lock ? "LCs of a second log" : "FCs of a second log"];
      to_all(std::make_shared<const Message>(CertificateMessage{std::move(certificate)}), pending_);
    }
  }
  if (const auto* proposal = std::get_if<Proposal>(message.get())) vote_early(*proposal);
  if (does(Behaviour::withhold) && std::holds_alternative<Fetch>(*message)) {
    lied(Behaviour::withhold);
    return nullptr;
  }
  bool asks = std::holds_alternative<Forward>(*message) || std::holds_alternative<Fetch>(*message);
  if (asks && does(Behaviour::ignore) && leads(view_) && gang_->is_starved(view_, from)) {
    lied(Behaviour::ignore);
    return nullptr;
  }
  if (!does(Behaviour::censor)) return message;
  // Its core never learns of one user's requests, whoever brings them; the others are served.
  if (const auto* forward = std::get_if<Forward>(message.get())) {
    Forward rest{without_censored(forward->requests)};
    if (rest.requests.size() < forward->requests.size()) lied(Behaviour::censor);
    return rest.requests.empty() ? nullptr : std::make_shared<const Message>(std::move(rest));
  }
  if (const auto* challenge = std::get_if<Challenge>(message.get())) {
    Challenge rest = *challenge;
    rest.censored = without_censored(rest.censored);
    return std::make_shared<const Message>(std::move(rest));
  }
  return message;
}

Requests Liar::without_censored(const Requests& requests) const {
  Requests out;
  std::copy_if(requests.begin(), requests.end(), std::back_inserter(out),
               [&](const auto& request) { return request->sender != censored_; });
  return out;
}

void Liar::speak_up(Out& out) {
  out.insert(out.end(), pending_.begin(), pending_.end());
  pending_.clear();
  challenge_falsely(out);
  make_noise(out);
}

}  // namespace zell::simulation
