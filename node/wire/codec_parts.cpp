#include "node/wire/codec_parts.h"

#include "node/base/check.h"
#include "node/wire/request_codec.h"

namespace zell {
namespace {

constexpr std::size_t min_request_bytes = 1 + 1 + 8 + 33 + 4 + 32 + 64;
constexpr std::size_t signer_bytes = 2 + Signature::size;

std::uint32_t count32(std::size_t count) {
  ZELL_CHECK(count <= UINT32_MAX);
  return static_cast<std::uint32_t>(count);
}

}  // namespace

void write_proposal_header(Writer& out, const ProposalHeader& header) {
  out.u64(header.view.value);
  out.u64(header.first.value);
  out.fixed(header.parent_root);
  write_point(out, header.end);
  out.fixed(header.signature);
}

ProposalHeader read_proposal_header(Reader& in) {
  ProposalHeader out;
  out.view = {in.u64()};
  out.first = {in.u64()};
  out.parent_root = in.fixed<Hash>();
  out.end = read_point(in);
  out.signature = in.fixed<Signature>();
  return out;
}

void write_point(Writer& out, const LogPoint& point) {
  out.u64(point.index.value);
  out.fixed(point.root);
}

LogPoint read_point(Reader& in) {
  LogPoint out;
  out.index = {in.u64()};
  out.root = in.fixed<Hash>();
  return out;
}

void write_lock(Writer& out, const Lock& lock) {
  out.u64(lock.view.value);
  write_point(out, lock.point);
}

Lock read_lock(Reader& in) {
  Lock out;
  out.view = {in.u64()};
  out.point = read_point(in);
  return out;
}

void write_vote(Writer& out, const Vote& vote) {
  out.u8(static_cast<std::uint8_t>(vote.phase));
  out.u64(vote.view.value);
  write_point(out, vote.point);
  out.u16(vote.signer.value);
  out.fixed(vote.signature);
}

Vote read_vote(Reader& in, const DecodeContext& context) {
  Vote out;
  out.phase = static_cast<Phase>(read_choice(in, 2));
  out.view = {in.u64()};
  out.point = read_point(in);
  out.signer = read_node(in, context);
  out.signature = in.fixed<Signature>();
  return out;
}

void write_signed_change(Writer& out, const SignedViewChange& change) {
  out.u16(change.node.value);
  out.u64(change.view.value);
  write_lock(out, change.lock);
  out.fixed(change.signature);
}

SignedViewChange read_signed_change(Reader& in, const DecodeContext& context) {
  SignedViewChange out;
  out.node = read_node(in, context);
  out.view = {in.u64()};
  out.lock = read_lock(in);
  out.signature = in.fixed<Signature>();
  return out;
}

NodeId read_node(Reader& in, const DecodeContext& context) {
  const NodeId out{in.u16()};
  if (out.value >= context.member_count) in.fail("there is no such member");
  return out;
}

std::uint8_t read_choice(Reader& in, std::uint8_t last) {
  const auto out = in.u8();
  if (out < 1 || out > last) in.fail("an enumeration has an unknown value");
  return out;
}

bool read_flag(Reader& in) {
  const auto out = in.u8();
  if (out > 1) in.fail("a flag is neither 0 nor 1");
  return in.ok() && out == 1;
}

void write_hashes(Writer& out, const std::vector<Hash>& hashes) {
  out.u32(count32(hashes.size()));
  for (const auto& hash : hashes) out.fixed(hash);
}

std::vector<Hash> read_hashes(Reader& in) {
  std::vector<Hash> out(in.count(max_proof_hashes, Hash::size));
  for (auto& hash : out) hash = in.fixed<Hash>();
  return out;
}

void write_requests(Writer& out, const Requests* requests) {
  out.u32(requests ? count32(requests->size()) : 0);
  if (!requests) return;
  for (const auto& request : *requests) out.raw(request->canonical);
}

Requests read_requests(Reader& in, const DecodeContext& context, std::size_t max_requests, std::size_t max_bytes) {
  Requests out;
  const auto count = in.count(max_requests, min_request_bytes);
  out.reserve(count);
  std::size_t left = max_bytes;
  for (std::uint32_t i = 0; i < count; ++i) {
    auto request = read_request(in, context.domain, static_cast<std::uint32_t>(left), context.known);
    if (!request) return {};
    left -= request->canonical.size();
    out.push_back(std::move(request));
  }
  return out;
}

void write_run(Writer& out, const ProposalHeader& header, const RequestsPtr& requests) {
  write_proposal_header(out, header);
  write_requests(out, requests.get());
}

Run read_run(Reader& in, const DecodeContext& context) {
  Run out;
  out.header = read_proposal_header(in);
  out.requests = std::make_shared<const Requests>(
      read_requests(in, context, context.parameters.batch_max_requests, context.parameters.batch_max_bytes));
  if (!spans(out.header, out.requests->size())) in.fail("a batch does not hold the requests that its header spans");
  return out;
}

bool spans(const ProposalHeader& header, std::size_t count) {
  const auto first = header.first.value;
  const auto last = header.end.index.value;
  return first >= 1 && count >= 1 && last >= first && last - first == count - 1;
}

std::size_t bytes_of(const Requests& requests) {
  std::size_t out = 0;
  for (const auto& request : requests) out += request->canonical.size();
  return out;
}

void write_certificate(Writer& out, const Certificate& certificate) {
  out.u8(static_cast<std::uint8_t>(certificate.phase));
  out.u64(certificate.view.value);
  write_point(out, certificate.point);
  out.u32(count32(certificate.signatures.size()));
  for (const auto& entry : certificate.signatures) {
    out.u16(entry.node.value);
    out.fixed(entry.signature);
  }
}

Certificate read_certificate(Reader& in, const DecodeContext& context) {
  Certificate out;
  out.phase = static_cast<Phase>(read_choice(in, 2));
  out.view = {in.u64()};
  out.point = read_point(in);
  out.signatures.resize(in.count(context.member_count, signer_bytes));
  for (auto& entry : out.signatures) {
    entry.node = read_node(in, context);
    entry.signature = in.fixed<Signature>();
  }
  require_ascending(in, out.signatures);
  return out;
}

void write_optional_certificate(Writer& out, const std::optional<Certificate>& certificate) {
  write_optional(out, certificate, write_certificate);
}

std::optional<Certificate> read_optional_certificate(Reader& in, const DecodeContext& context) {
  return read_optional(in, [&](Reader& reader) { return read_certificate(reader, context); });
}

void write_batch(Writer& out, const Batch& batch) {
  write_run(out, batch.header, batch.requests);
}

BatchPtr read_batch(Reader& in, const DecodeContext& context) {
  auto run = read_run(in, context);
  if (!in.ok()) return nullptr;
  auto out = std::make_shared<Batch>();
  out->header = run.header;
  out->request_bytes = static_cast<std::uint32_t>(bytes_of(*run.requests));
  out->requests = std::move(run.requests);
  return out;
}

}  // namespace zell
