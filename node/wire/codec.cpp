#include "node/wire/codec.h"

#include <array>

#include "node/wire/codec_parts.h"

namespace zell {
namespace {

// A variant's alternatives are numbered from 1 on the wire, in the order of Message.
constexpr std::uint8_t last_type = std::variant_size_v<Message>;

constexpr std::size_t signed_challenge_bytes = 2 + 8 + 1 + Signature::size;
constexpr std::size_t signed_change_bytes = 2 + 8 + 8 + 8 + 32 + Signature::size;
constexpr std::size_t min_batch_bytes = 8 + 8 + 32 + 8 + 32 + Signature::size + 4;

void write_signed_challenge(Writer& out, const SignedChallenge& challenge) {
  out.u16(challenge.node.value);
  out.u64(challenge.view.value);
  out.u8(static_cast<std::uint8_t>(challenge.reason));
  out.fixed(challenge.signature);
}

SignedChallenge read_signed_challenge(Reader& in, const DecodeContext& context) {
  SignedChallenge out;
  out.node = read_node(in, context);
  out.view = {in.u64()};
  out.reason = static_cast<Reason>(read_choice(in, static_cast<std::uint8_t>(Reason::manual)));
  out.signature = in.fixed<Signature>();
  return out;
}

struct MessageWriter {
  Writer& out;

  void operator()(const Forward& m) const { write_requests(out, &m.requests); }
  void operator()(const Proposal& m) const {
    write_run(out, m.header, m.requests);
    write_optional_certificate(out, m.lc);
    write_optional_certificate(out, m.fc);
  }
  void operator()(const Vote& m) const { write_vote(out, m); }
  void operator()(const CertificateMessage& m) const { write_certificate(out, m.certificate); }
  void operator()(const Heartbeat& m) const {
    out.u64(m.view.value);
    write_point(out, m.tip);
    out.u64(m.counter);
    out.fixed(m.signature);
    write_optional_certificate(out, m.lc);
    write_optional_certificate(out, m.fc);
  }
  void operator()(const Challenge& m) const {
    write_signed_challenge(out, m.signed_part);
    out.u8(m.evidence ? 1 : 0);
    if (m.evidence) write_evidence(out, *m.evidence);
    write_requests(out, &m.censored);
  }
  void operator()(const ChallengeCertificate& m) const {
    out.u32(static_cast<std::uint32_t>(m.challenges.size()));
    for (const auto& challenge : m.challenges) write_signed_challenge(out, challenge);
  }
  void operator()(const ViewChange& m) const {
    write_signed_change(out, m.signed_part);
    write_optional_certificate(out, m.lc);
    write_optional_certificate(out, m.fc);
  }
  void operator()(const NewView& m) const {
    out.u64(m.view.value);
    write_lock(out, m.base);
    write_optional_certificate(out, m.base_lc);
    out.u32(static_cast<std::uint32_t>(m.changes.size()));
    for (const auto& change : m.changes) write_signed_change(out, change);
    out.fixed(m.signature);
  }
  void operator()(const Fetch& m) const {
    out.u8(static_cast<std::uint8_t>(m.kind));
    out.u64(m.view.value);
    out.u64(m.from.value);
    write_point(out, m.target);
  }
  void operator()(const Chunk& m) const {
    out.u64(m.from.value);
    out.u32(static_cast<std::uint32_t>(m.batches.size()));
    for (const auto& batch : m.batches) write_batch(out, *batch);
    write_optional_certificate(out, m.fc);
  }
  void operator()(const ViewQuery& m) const { out.fixed(m.nonce); }
  void operator()(const ViewAnswer& m) const {
    out.u16(m.node.value);
    out.u64(m.view.value);
    out.fixed(m.nonce);
    out.fixed(m.signature);
  }
  void operator()(const Conflict& m) const {
    write_certificate(out, m.a);
    write_certificate(out, m.b);
    out.fixed(m.b_root_at_a);
    write_hashes(out, m.consistency);
  }
};

/// One overload a message.
struct MessageReader {
  Reader& in;
  const DecodeContext& context;

  void fill(Forward& m) const {
    m.requests = read_requests(in, context, max_requests_in_forward, max_loose_request_bytes);
  }
  void fill(Proposal& m) const {
    auto run = read_run(in, context);
    m.header = run.header;
    m.requests = std::move(run.requests);
    m.lc = read_optional_certificate(in, context);
    m.fc = read_optional_certificate(in, context);
  }
  void fill(Vote& m) const { m = read_vote(in, context); }
  void fill(CertificateMessage& m) const { m.certificate = read_certificate(in, context); }
  void fill(Heartbeat& m) const {
    m.view = {in.u64()};
    m.tip = read_point(in);
    m.counter = in.u64();
    m.signature = in.fixed<Signature>();
    m.lc = read_optional_certificate(in, context);
    m.fc = read_optional_certificate(in, context);
  }
  void fill(Challenge& m) const {
    m.signed_part = read_signed_challenge(in, context);
    if (read_flag(in)) m.evidence = read_evidence(in, context);
    m.censored = read_requests(in, context, max_requests_in_challenge, max_loose_request_bytes);
  }
  void fill(ChallengeCertificate& m) const {
    m.challenges.resize(in.count(context.member_count, signed_challenge_bytes));
    for (auto& challenge : m.challenges) challenge = read_signed_challenge(in, context);
    require_ascending(in, m.challenges);
  }
  void fill(ViewChange& m) const {
    m.signed_part = read_signed_change(in, context);
    m.lc = read_optional_certificate(in, context);
    m.fc = read_optional_certificate(in, context);
  }
  void fill(NewView& m) const {
    m.view = {in.u64()};
    m.base = read_lock(in);
    m.base_lc = read_optional_certificate(in, context);
    m.changes.resize(in.count(context.member_count, signed_change_bytes));
    for (auto& change : m.changes) change = read_signed_change(in, context);
    require_ascending(in, m.changes);
    m.signature = in.fixed<Signature>();
  }
  void fill(Fetch& m) const {
    m.kind = static_cast<Fetch::Kind>(read_choice(in, static_cast<std::uint8_t>(Fetch::Kind::new_view)));
    m.view = {in.u64()};
    m.from = {in.u64()};
    m.target = read_point(in);
  }
  void fill(Chunk& m) const {
    m.from = {in.u64()};
    const auto count = in.count(max_frame_bytes / min_batch_bytes, min_batch_bytes);
    for (std::uint32_t i = 0; i < count && in.ok(); ++i) m.batches.push_back(read_batch(in, context));
    m.fc = read_optional_certificate(in, context);
  }
  void fill(ViewQuery& m) const { m.nonce = in.fixed<Nonce32>(); }
  void fill(ViewAnswer& m) const {
    m.node = read_node(in, context);
    m.view = {in.u64()};
    m.nonce = in.fixed<Nonce32>();
    m.signature = in.fixed<Signature>();
  }
  void fill(Conflict& m) const {
    m.a = read_certificate(in, context);
    m.b = read_certificate(in, context);
    m.b_root_at_a = in.fixed<Hash>();
    m.consistency = read_hashes(in);
  }
};

template <class T>
Message read_as(Reader& in, const DecodeContext& context) {
  T message{};
  MessageReader{in, context}.fill(message);
  return message;
}

template <std::size_t... I>
constexpr auto make_readers(std::index_sequence<I...>) {
  using ReadMessage = Message (*)(Reader&, const DecodeContext&);
  return std::array<ReadMessage, sizeof...(I)>{&read_as<std::variant_alternative_t<I, Message>>...};
}
constexpr auto readers = make_readers(std::make_index_sequence<std::variant_size_v<Message>>());

/// Enough for most messages at once; requests, the only bulk, are counted exactly.
std::size_t size_hint(const Message& message) {
  constexpr std::size_t small = 1'024;
  if (const auto* proposal = std::get_if<Proposal>(&message)) {
    return small + (proposal->requests ? bytes_of(*proposal->requests) : 0);
  }
  if (const auto* forward = std::get_if<Forward>(&message)) return small + bytes_of(forward->requests);
  if (const auto* chunk = std::get_if<Chunk>(&message)) {
    std::size_t out = small;
    for (const auto& batch : chunk->batches) out += min_batch_bytes + batch->request_bytes;
    return out;
  }
  return small;
}

}  // namespace

Bytes encode_message(const Message& message, Epoch epoch) {
  Writer out;
  out.reserve(size_hint(message));
  out.u8(wire_version);
  out.u8(static_cast<std::uint8_t>(message.index() + 1));
  out.u32(epoch.value);
  std::visit(MessageWriter{out}, message);
  return out.take();
}

Result<Message> decode_message(ByteView bytes, const DecodeContext& context) {
  if (bytes.size() > max_frame_bytes) return Error{"bad-message", "a message is longer than a frame may be", {}};
  Reader in(bytes);
  const auto version = in.u8();
  const auto type = in.u8();
  const Epoch epoch{in.u32()};
  if (!in.ok()) return Error{"bad-message", "a message ends before its type", {}};
  if (version != wire_version) {
    return Error{"wrong-version", "a message is of wire version " + std::to_string(version),
                 "run the same release on all nodes"};
  }
  if (type < 1 || type > last_type)
    return Error{"unknown-type", "there is no message type " + std::to_string(type), {}};
  if (epoch != context.domain.epoch) {
    return Error{"wrong-epoch", "a message is of epoch " + std::to_string(epoch.value), {}};
  }
  auto message = readers[type - 1](in, context);
  if (!in.at_end()) {
    return Error{"bad-message",
                 std::string(name_of(message)) + ": " + std::string(in.ok() ? "bytes are left over" : in.why()),
                 {}};
  }
  return message;
}

}  // namespace zell
