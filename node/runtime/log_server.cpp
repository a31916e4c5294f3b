#include "node/runtime/log_server.h"

#include "node/wire/codec.h"

namespace zell {
namespace {

/// Null if nothing after `from` is final in the store.
Result<FramePtr> encoded_chunk(Store& store, Index from, Epoch epoch) {
  auto range = store.read_certified(from, served_bytes);
  if (!range.ok()) return range.error();
  if (range->batches.empty()) return FramePtr();
  Chunk chunk{from, std::move(range->batches), std::move(range->fc)};
  return FramePtr(std::make_shared<const Bytes>(encode_message(Message(std::move(chunk)), epoch)));
}

}  // namespace

void LogServer::serve(const ServeLog& what) {
  auto& serving = serving_[what.to.value];
  if (serving >= serves_per_peer || !outlets_.has_room(what.to)) return;
  auto frame = std::make_shared<Result<FramePtr>>(FramePtr());
  auto work = [frame, from = what.from, epoch = epoch_](Store& store) { *frame = encoded_chunk(store, from, epoch); };
  auto done = [this, frame, to = what.to] {
    --serving_[to.value];
    if (!frame->ok()) return outlets_.failed(frame->error());
    if (**frame) outlets_.send(to, Lane::bulk, std::move(**frame));
  };
  if (storage_.read(std::move(work), std::move(done)).ok()) ++serving;
}

}  // namespace zell
