#include "node/runtime/log_server.h"

#include <algorithm>

#include "node/wire/codec.h"

namespace zell {

Result<LogServer::Encoded> LogServer::encode(Store& store, Index from, Epoch epoch) {
  auto range = store.read_certified(from, served_bytes);
  if (!range.ok()) return range.error();
  if (range->batches.empty()) return Encoded{};
  const auto end = range->batches.back()->header.end.index;
  Chunk chunk{from, std::move(range->batches), std::move(range->fc)};
  return Encoded{std::make_shared<const Bytes>(encode_message(Message(std::move(chunk)), epoch)), end};
}

void LogServer::serve(const ServeLog& what) {
  auto& peer = peers_[what.to.value];
  const bool arrives = what.from > peer.asked && what.from < peer.sent;
  peer.asked = what.from;
  if (arrives) {
    peer.ahead = std::min(peer.ahead + 1, chunks_ahead);
  } else {
    // The first question, or the same again: something was lost. Or all of it is there.
    peer.sent = what.from;
    peer.ahead = chunks_ahead;
    ++peer.start;
  }
  if (!peer.reading) read_next(what.to);
}

void LogServer::read_next(NodeId to) {
  auto& peer = peers_[to.value];
  if (peer.ahead == 0 || !outlets_.has_room(to)) return;
  auto chunk = std::make_shared<Result<Encoded>>(Encoded{});
  auto work = [chunk, from = peer.sent, epoch = epoch_](Store& store) { *chunk = encode(store, from, epoch); };
  auto done = [this, chunk, to, start = peer.start] { on_read(to, start, *chunk); };
  peer.reading = outlets_.read(std::move(work), std::move(done)).ok();
}

void LogServer::on_read(NodeId to, std::uint64_t start, const Result<Encoded>& chunk) {
  auto& peer = peers_[to.value];
  peer.reading = false;
  if (start == peer.start) {
    if (!chunk.ok()) outlets_.failed(chunk.error());
    if (!chunk.ok() || !chunk->frame) {
      peer.ahead = 0;
      return;
    }
    --peer.ahead;
    peer.sent = chunk->end;
    outlets_.send(to, Lane::bulk, chunk->frame);
  }
  read_next(to);
}

}  // namespace zell
