#include "tests/simulation/describe.h"

namespace zell::simulation {

std::string describe(const Message& message) {
  auto at = [](View view, Index index) { return " " + std::to_string(view.value) + ":" + std::to_string(index.value); };
  std::string out(name_of(message));
  if (const auto* proposal = std::get_if<Proposal>(&message)) {
    out += at(proposal->header.view, proposal->header.first) + ".." + std::to_string(proposal->header.end.index.value);
  } else if (const auto* vote = std::get_if<Vote>(&message)) {
    out += (vote->phase == Phase::lock ? " LOCK" : " FINAL") + at(vote->view, vote->point.index);
  } else if (const auto* certificate = std::get_if<CertificateMessage>(&message)) {
    out += (certificate->certificate.phase == Phase::lock ? " LC" : " FC") +
           at(certificate->certificate.view, certificate->certificate.point.index);
  } else if (const auto* heartbeat = std::get_if<Heartbeat>(&message)) {
    out += at(heartbeat->view, heartbeat->tip.index);
  } else if (const auto* change = std::get_if<ViewChange>(&message)) {
    out += at(change->signed_part.view, {}) + " lock" +
           at(change->signed_part.lock.view, change->signed_part.lock.point.index);
  } else if (const auto* news = std::get_if<NewView>(&message)) {
    out += at(news->view, {}) + " base" + at(news->base.view, news->base.point.index);
  } else if (const auto* fetch = std::get_if<Fetch>(&message)) {
    out += " kind " + std::to_string(static_cast<int>(fetch->kind)) + at(fetch->view, fetch->from) + " to " +
           std::to_string(fetch->target.index.value);
  } else if (const auto* chunk = std::get_if<Chunk>(&message)) {
    out += " after " + std::to_string(chunk->from.value) + ", " + std::to_string(chunk->batches.size()) + " batches" +
           (chunk->fc ? ", FC" + at(chunk->fc->view, chunk->fc->point.index) : "");
  }
  return out;
}

}  // namespace zell::simulation
