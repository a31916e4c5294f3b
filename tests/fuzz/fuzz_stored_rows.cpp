// What a node.db's columns hold. The first byte says which column it is; seals are made good, so that what is behind
// them is reached: a disk that lies can make them good too.

#include <algorithm>

#include "node/storage/row_codec.h"
#include "tests/fuzz/fuzz_target.h"

namespace {

using namespace zell;

constexpr std::size_t seal_bytes = 16;
constexpr std::size_t max_column_bytes = 1 << 20;

void read_batch(ByteView bytes) {
  const auto& context = testing::fuzz_context();
  Reader in(bytes);
  const BatchKey key{static_cast<std::int64_t>(in.u64() >> 1)};  // SQLite's integers are signed; no key is below 0
  const auto header = in.sized(max_column_bytes), ids = in.sized(max_column_bytes);
  if (!in.ok()) return;
  const auto requests = in.rest();
  (void)contains_id_prefix(ids, 7);
  Writer sealed;
  sealed.u64(static_cast<std::uint64_t>(key.value));
  sealed.raw(header);
  sealed.raw(ids);
  const auto whole = seal(Sealed::batch, sealed.take());
  Writer column;
  column.raw(header);
  column.raw(ByteView(whole).last(seal_bytes));
  const auto batch = decode_batch_columns(key, column.bytes(), ids, requests, context);
  if (!batch) return;
  ZELL_CHECK(batch->count() == batch->header.end.index.value - batch->header.first.value + 1);
  const auto again = encode_batch_columns(key, *batch);
  ZELL_CHECK(std::ranges::equal(again.requests, requests));
  ZELL_CHECK(std::ranges::equal(ByteView(again.header).first(header.size()), header));
  for (const auto& request : *batch->requests) ZELL_CHECK(contains_id_prefix(again.ids, id_prefix(request->id)));
}

void read_entry_proof(ByteView bytes) {
  const auto& context = testing::fuzz_context();
  const auto proof = decode_entry_proof(bytes, context);
  if (proof) ZELL_CHECK(std::ranges::equal(encode_entry_proof(*proof, context.domain.epoch), bytes));
}

void read_replay_point(ByteView bytes) {
  const auto point = decode_replay_point(bytes);
  if (!point) return;
  ZELL_CHECK(std::ranges::equal(encode_replay_point(*point), bytes));
  ZELL_CHECK(point->blocks.size() == point->index.value / ReplayPoint::block_leaves);
}

void read_bodies_end(ByteView bytes) {
  const auto end = decode_bodies_end(bytes);
  if (end) ZELL_CHECK(std::ranges::equal(encode_bodies_end(*end), bytes));
}

void read_seal(ByteView bytes) {
  const auto value = unseal(Sealed::state, bytes);
  if (value) ZELL_CHECK(std::ranges::equal(seal(Sealed::state, Bytes(value->begin(), value->end())), bytes));
  const auto whole = seal(Sealed::state, Bytes(bytes.begin(), bytes.end()));
  const auto back = unseal(Sealed::state, whole);
  ZELL_CHECK(back && std::ranges::equal(*back, bytes));
  ZELL_CHECK(!unseal(Sealed::certificate, whole));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  constexpr void (*columns[])(ByteView) = {read_batch, read_entry_proof, read_seal, read_replay_point, read_bodies_end};
  columns[data[0] % std::size(columns)]({data + 1, size - 1});
  return 0;
}
