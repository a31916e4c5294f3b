#include "node/runtime/inbound.h"

#include <utility>

namespace zell {
namespace {

template <std::size_t... I>
std::array<Lane, sizeof...(I)> lanes_of_types(std::index_sequence<I...>) {
  return {lane_of(Message(std::in_place_index<I>))...};
}

}  // namespace

Lane lane_of_frame(ByteView body) {
  // A frame starts with its version and its type; types are numbered from 1 in the order of the variant.
  constexpr std::size_t type_count = std::variant_size_v<Message>;
  static const auto lanes = lanes_of_types(std::make_index_sequence<type_count>{});
  if (body.size() < 2 || body[1] < 1 || body[1] > type_count) return Lane::normal;
  return lanes[body[1] - 1];
}

Inbound::Inbound(WorkPool& pool, const Verifier& verifier, NodeId self, Outlets outlets)
    : pool_(pool),
      verifier_(verifier),
      self_(self),
      outlets_(std::move(outlets)),
      context_{verifier.domain(), verifier.genesis().parameters, verifier.genesis().size(), verifier.cache()},
      peers_(verifier.genesis().size()) {}

void Inbound::on_frame(NodeId from, Bytes body) {
  ZELL_CHECK(from.value < peers_.size());
  auto& peer = peers_[from.value];
  auto lane = lane_of_frame(body);
  if (body.size() <= checked_here_bytes && pool_.has_time_here()) return check_here(from, body);
  auto entry = std::make_shared<Entry>();
  entry->bytes = body.size();
  auto work = [entry, this, body = std::move(body)] { check(*entry, body); };
  auto done = [this, entry, from, lane] {
    entry->ready = true;
    deliver_ready(from, lane);
  };
  auto priority = lane == Lane::urgent ? WorkPool::Priority::urgent : WorkPool::Priority::normal;
  peer.lanes[static_cast<std::size_t>(lane)].push_back(entry);
  peer.bytes += entry->bytes;
  ++peer.frames;
  if (!pool_.run(priority, std::move(work), std::move(done))) {
    entry->result.emplace(Error{"busy", "too much waits to be checked", ""});
    entry->ready = true;
    return deliver_ready(from, lane);
  }
  if (!peer.paused && (peer.bytes > inbound_bytes_per_peer || peer.frames > inbound_frames_per_peer)) {
    peer.paused = true;
    outlets_.pause(from);
  }
}

void Inbound::check(Entry& entry, ByteView body) const {
  auto message = decode_message(body, context_);
  entry.result.emplace(message.ok() ? verifier_.check(std::move(*message), self_)
                                    : Result<VerifiedMessage>(message.error()));
}

/// Nothing else waits to be checked, so this keeps nobody waiting, and it stays in order.
void Inbound::check_here(NodeId from, ByteView body) {
  Entry entry;
  check(entry, body);
  hand_over(from, entry);
}

void Inbound::hand_over(NodeId from, Entry& entry) {
  if (entry.result->ok()) {
    outlets_.deliver(from, std::move(**entry.result));
  } else {
    outlets_.refuse(from, entry.result->error());
  }
}

void Inbound::on_peer_up(NodeId node) {
  if (peers_[node.value].paused) outlets_.pause(node);
}

void Inbound::deliver_ready(NodeId from, Lane lane) {
  auto& peer = peers_[from.value];
  auto& queue = peer.lanes[static_cast<std::size_t>(lane)];
  while (!queue.empty() && queue.front()->ready) {
    auto entry = std::move(queue.front());
    queue.pop_front();
    peer.bytes -= entry->bytes;
    --peer.frames;
    hand_over(from, *entry);
  }
  bool room = peer.bytes <= inbound_bytes_per_peer / 2 && peer.frames <= inbound_frames_per_peer / 2;
  if (peer.paused && room) {
    peer.paused = false;
    outlets_.resume(from);
  }
}

}  // namespace zell
