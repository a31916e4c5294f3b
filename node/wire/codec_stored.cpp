// Evidence and the durable state <-> bytes: what travels or stays on its own, beside messages.

#include <limits>

#include "node/wire/codec_parts.h"
#include "node/wire/request_codec.h"

namespace zell {
namespace {

constexpr std::uint8_t durable_state_version = 1, replay_point_version = 1;

struct EvidenceWriter {
  Writer& out;

  void operator()(const TwoProposals& evidence) const {
    write_proposal_header(out, evidence.a);
    write_proposal_header(out, evidence.b);
    write_hashes(out, evidence.consistency);
    write_point(out, evidence.b_root_at_a);
  }
  void operator()(const TwoVotes& evidence) const {
    write_vote(out, evidence.a);
    write_vote(out, evidence.b);
    write_hashes(out, evidence.consistency);
    out.fixed(evidence.b_root_at_a);
  }
  void operator()(const HiddenLock& evidence) const {
    write_vote(out, evidence.final);
    write_signed_change(out, evidence.change);
  }
  void operator()(const InvalidProposal& evidence) const {
    write_run(out, evidence.header, evidence.requests);
    out.u64(evidence.parent.size());
    for (const auto& peak : evidence.parent.peaks()) out.fixed(peak);
    out.u32(evidence.position);
    out.u8(evidence.earlier ? 1 : 0);
    if (!evidence.earlier) return;
    out.raw(evidence.earlier->canonical);
    out.u64(evidence.earlier_index.value);
    write_hashes(out, evidence.earlier_proof);
  }
};

TwoProposals read_two_proposals(Reader& in) {
  TwoProposals out;
  out.a = read_proposal_header(in);
  out.b = read_proposal_header(in);
  out.consistency = read_hashes(in);
  out.b_root_at_a = read_point(in);
  return out;
}

TwoVotes read_two_votes(Reader& in, const DecodeContext& context) {
  TwoVotes out;
  out.a = read_vote(in, context);
  out.b = read_vote(in, context);
  out.consistency = read_hashes(in);
  out.b_root_at_a = in.fixed<Hash>();
  return out;
}

HiddenLock read_hidden_lock(Reader& in, const DecodeContext& context) {
  HiddenLock out;
  out.final = read_vote(in, context);
  out.change = read_signed_change(in, context);
  return out;
}

/// A size, then as many hashes as it has bits set.
CompactRange read_compact_range(Reader& in) {
  const auto size = in.u64();
  std::vector<Hash> peaks;
  for (auto bits = size; bits != 0; bits &= bits - 1) peaks.push_back(in.fixed<Hash>());
  return {size, std::move(peaks)};
}

InvalidProposal read_invalid_proposal(Reader& in, const DecodeContext& context) {
  InvalidProposal out;
  auto run = read_run(in, context);
  out.header = run.header;
  out.requests = std::move(run.requests);
  out.parent = read_compact_range(in);
  out.position = in.u32();
  if (read_flag(in)) {
    out.earlier = read_request(in, context.domain, context.parameters.batch_max_bytes);
    out.earlier_index = {in.u64()};
    out.earlier_proof = read_hashes(in);
  }
  return out;
}

Evidence read_evidence_kind(Reader& in, const DecodeContext& context) {
  switch (read_choice(in, std::variant_size_v<Evidence>)) {
    case 1:
      return read_two_proposals(in);
    case 2:
      return read_two_votes(in, context);
    case 3:
      return read_hidden_lock(in, context);
    default:
      return read_invalid_proposal(in, context);
  }
}

DurableState read_durable_state(Reader& in, const DecodeContext& context) {
  DurableState out;
  out.epoch = {in.u32()};
  out.standing = static_cast<Standing>(read_choice(in, 3));
  out.view = {in.u64()};
  out.active = read_flag(in);
  out.base = read_point(in);
  out.rejoin_view = {in.u64()};
  out.last_lock = read_optional(in, read_point);
  out.last_final = read_optional(in, read_point);
  out.highest_lc = read_optional_certificate(in, context);
  out.tip = read_point(in);
  return out;
}

}  // namespace

void write_evidence(Writer& out, const Evidence& evidence) {
  out.u8(static_cast<std::uint8_t>(evidence.index() + 1));
  std::visit(EvidenceWriter{out}, evidence);
}

EvidencePtr read_evidence(Reader& in, const DecodeContext& context) {
  auto out = read_evidence_kind(in, context);
  if (!in.ok()) return nullptr;
  return std::make_shared<const Evidence>(std::move(out));
}

Bytes encode_durable_state(const DurableState& state) {
  Writer out;
  out.u8(durable_state_version);
  out.u32(state.epoch.value);
  out.u8(static_cast<std::uint8_t>(state.standing));
  out.u64(state.view.value);
  out.u8(state.active ? 1 : 0);
  write_point(out, state.base);
  out.u64(state.rejoin_view.value);
  write_optional(out, state.last_lock, write_point);
  write_optional(out, state.last_final, write_point);
  write_optional_certificate(out, state.highest_lc);
  write_point(out, state.tip);
  return out.take();
}

Result<DurableState> decode_durable_state(ByteView bytes, const DecodeContext& context) {
  Reader in(bytes);
  if (in.u8() != durable_state_version) {
    return Error{"wrong-version", "the vote state is of another format", "use the release that wrote it"};
  }
  auto out = read_durable_state(in, context);
  if (!in.at_end()) {
    return Error{
        "bad-state", "the vote state is damaged: " + std::string(in.ok() ? "bytes are left over" : in.why()), {}};
  }
  return out;
}

Bytes encode_replay_point(const ReplayPoint& point) {
  Writer out;
  out.u8(replay_point_version);
  out.u64(point.index.value);
  for (const auto& root : point.blocks) out.fixed(root);
  out.u32(static_cast<std::uint32_t>(point.senders.size()));
  for (const auto& one : point.senders) {
    out.fixed(one.sender);
    out.u16(static_cast<std::uint16_t>(one.nonces.size()));
    for (auto nonce : one.nonces) out.u64(nonce);
  }
  return out.take();
}

std::optional<ReplayPoint> decode_replay_point(ByteView bytes) {
  Reader in(bytes);
  ReplayPoint out;
  if (in.u8() != replay_point_version) return std::nullopt;
  out.index = {in.u64()};
  for (auto left = out.index.value / ReplayPoint::block_leaves; left > 0 && in.ok(); --left) {
    out.blocks.push_back(in.fixed<Hash>());
  }
  constexpr std::size_t least_each = PublicKey::size + 2 + 8;
  for (auto left = in.count(std::numeric_limits<std::uint32_t>::max(), least_each); left > 0 && in.ok(); --left) {
    SenderNonces one{in.fixed<PublicKey>(), {}};
    if (!out.senders.empty() && out.senders.back().sender >= one.sender) in.fail("senders are not ascending");
    const auto count = in.u16();
    if (count == 0 || count > nonces_per_sender) in.fail("a sender has no nonces, or too many");
    for (std::uint16_t k = 0; k < count && in.ok(); ++k) {
      const auto nonce = in.u64();
      if (!one.nonces.empty() && one.nonces.back() >= nonce) in.fail("nonces are not ascending");
      one.nonces.push_back(nonce);
    }
    out.senders.push_back(std::move(one));
  }
  if (!in.at_end()) return std::nullopt;
  return out;
}

}  // namespace zell
