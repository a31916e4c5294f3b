#include "node/storage/row_codec.h"

#include <algorithm>

#include "node/crypto/hash.h"
#include "node/wire/request_codec.h"

namespace zell {

namespace {

constexpr std::size_t seal_bytes = 16;
/// Both proofs of a view together, e.g. a ChallengeCertificate, a NewView and the newest certificates.
constexpr std::size_t max_entry_proof_messages = 16;

Hash seal_of(Sealed kind, std::initializer_list<ByteView> parts) {
  const std::uint8_t tag[] = {'z', 'e', 'l', 'l', ' ', 'r', 'o', 'w', static_cast<std::uint8_t>(kind)};
  Bytes joined;
  for (const auto& part : parts) joined.insert(joined.end(), part.begin(), part.end());
  return sha256({ByteView(tag), ByteView(joined)});
}

bool same_seal(ByteView stored, const Hash& computed) {
  return std::equal(stored.begin(), stored.end(), computed.bytes.begin());
}

Bytes key_bytes(BatchKey key) {
  Writer out;
  out.u64(static_cast<std::uint64_t>(key.value));
  return out.take();
}

}  // namespace

Bytes seal(Sealed kind, Bytes value) {
  const auto hash = seal_of(kind, {value});
  value.insert(value.end(), hash.bytes.begin(), hash.bytes.begin() + seal_bytes);
  return value;
}

std::optional<ByteView> unseal(Sealed kind, ByteView sealed) {
  if (sealed.size() < seal_bytes) return std::nullopt;
  const auto value = sealed.first(sealed.size() - seal_bytes);
  if (!same_seal(sealed.last(seal_bytes), seal_of(kind, {value}))) return std::nullopt;
  return value;
}

BatchColumns encode_batch_columns(BatchKey key, const Batch& batch) {
  BatchColumns out;
  std::vector<std::uint64_t> prefixes;
  prefixes.reserve(batch.count());
  out.requests.reserve(batch.request_bytes);
  for (const auto& request : *batch.requests) {
    prefixes.push_back(id_prefix(request->id));
    out.requests.insert(out.requests.end(), request->canonical.begin(), request->canonical.end());
  }
  std::sort(prefixes.begin(), prefixes.end());
  Writer ids;
  ids.reserve(8 * prefixes.size());
  for (auto prefix : prefixes) ids.u64(prefix);
  out.ids = ids.take();

  Writer header;
  header.u64(batch.header.view.value);
  header.u64(batch.header.first.value);
  header.fixed(batch.header.parent_root);
  header.fixed(batch.header.end.root);
  header.fixed(batch.header.signature);
  const auto hash = seal_of(Sealed::batch, {key_bytes(key), header.bytes(), out.ids});
  header.raw(hash.view().first(seal_bytes));
  out.header = header.take();
  return out;
}

BatchPtr decode_batch_columns(BatchKey key, ByteView header, ByteView ids, ByteView requests,
                              const DecodeContext& context) {
  Reader in(header);
  auto batch = std::make_shared<Batch>();
  batch->header.view.value = in.u64();
  batch->header.first.value = in.u64();
  batch->header.parent_root = in.fixed<Hash>();
  batch->header.end = {key.last(), in.fixed<Hash>()};
  batch->header.signature = in.fixed<Signature>();
  const auto stored_seal = in.raw(seal_bytes);
  if (!in.at_end()) return nullptr;
  const auto hash = seal_of(Sealed::batch, {key_bytes(key), header.first(header.size() - seal_bytes), ids});
  if (!same_seal(stored_seal, hash)) return nullptr;

  auto out = std::make_shared<Requests>();
  out->reserve(ids.size() / 8);
  Reader bodies(requests);
  while (!bodies.at_end()) {
    auto request = read_request(bodies, context.domain, context.parameters.request_max_bytes);
    if (!request) return nullptr;
    out->push_back(std::move(request));
  }
  const auto& h = batch->header;
  if (out->empty() || h.first.value == 0 || h.first > h.end.index ||
      out->size() != h.end.index.value - h.first.value + 1) {
    return nullptr;
  }
  batch->request_bytes = static_cast<std::uint32_t>(requests.size());
  batch->requests = std::move(out);
  return batch;
}

bool contains_id_prefix(ByteView ids, std::uint64_t prefix) {
  Writer wanted;
  wanted.u64(prefix);
  std::size_t low = 0, high = ids.size() / 8;
  while (low < high) {
    const auto middle = (low + high) / 2;
    const int order = std::memcmp(ids.data() + middle * 8, wanted.bytes().data(), 8);
    if (order == 0) return true;
    (order < 0 ? low : high) = order < 0 ? middle + 1 : middle;
  }
  return false;
}

Bytes encode_bodies_end(std::uint64_t end) {
  Writer out;
  out.u64(end);
  return out.take();
}

std::optional<std::uint64_t> decode_bodies_end(ByteView bytes) {
  Reader in(bytes);
  const auto end = in.u64();
  // SQLite's integers, and lengths of files, are signed.
  if (!in.at_end() || end > static_cast<std::uint64_t>(INT64_MAX)) return std::nullopt;
  return end;
}

Bytes encode_entry_proof(const std::vector<MessagePtr>& proof, Epoch epoch) {
  ZELL_CHECK(proof.size() <= max_entry_proof_messages);
  Writer out;
  out.u32(static_cast<std::uint32_t>(proof.size()));
  for (const auto& message : proof) out.sized(encode_message(*message, epoch));
  return out.take();
}

std::optional<std::vector<MessagePtr>> decode_entry_proof(ByteView bytes, const DecodeContext& context) {
  Reader in(bytes);
  std::vector<MessagePtr> out;
  for (auto count = in.count(max_entry_proof_messages, 4); count > 0; --count) {
    auto message = decode_message(in.sized(max_frame_bytes), context);
    if (!message.ok()) return std::nullopt;
    out.push_back(std::make_shared<const Message>(std::move(*message)));
  }
  if (!in.at_end()) return std::nullopt;
  return out;
}

}  // namespace zell
