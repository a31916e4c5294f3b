#include "cluster/load/signed_streams.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "node/base/coding.h"
#include "node/base/prng.h"
#include "node/wire/request_codec.h"

namespace zell {

namespace {

constexpr std::size_t different_bodies = 16;
constexpr std::size_t signed_at_a_time = 256;

Bytes header_of(std::uint64_t nonce, const PublicKey& sender, std::size_t payloads, const Hash& root,
                const CompactSignature& signature) {
  Writer out;
  write_request_header(out, load_app, nonce, sender, static_cast<std::uint32_t>(payloads), root, signature);
  return out.take();
}

}  // namespace

SignedStreams::SignedStreams(const SigningDomain& domain, const LoadShape& shape)
    : domain_(domain), shape_(shape), streams_(shape.streams) {
  ZELL_CHECK(shape.streams > 0 && shape.clients >= shape.streams && shape.bundle > 0);
  for (std::size_t c = 0; c < shape.clients; ++c) {
    // Keys of this run alone: nonces of another one, before it or beside it, are no business of theirs.
    auto secret = dev_secret_key(shape.run, std::string(load_app) + std::to_string(c));
    const auto key = secp256k1_scheme().public_key(secret);
    ZELL_CHECK(key.has_value());
    clients_.push_back({secret, *key});
  }
  Prng random(shape.run);
  for (std::size_t b = 0; b < different_bodies; ++b) {
    std::vector<Bytes> payloads(shape.bundle, Bytes(shape.payload_bytes));
    Writer body;
    for (auto& payload : payloads) {
      for (auto& byte : payload) byte = static_cast<std::uint8_t>(random.next());
      body.sized(payload);
    }
    bodies_.push_back({std::string(as_text(body.bytes())), payloads_root(payloads)});
  }
  header_bytes_ = header_of(0, clients_.front().key, shape.bundle, bodies_.front().root, {}).size();
}

std::size_t SignedStreams::clients_of(std::size_t stream) const {
  return (shape_.clients + shape_.streams - 1 - stream) / shape_.streams;
}

void SignedStreams::resize(Stream& stream, std::size_t count) const {
  stream.ids.resize(count);
  stream.headers.resize(count * header_bytes_);
}

void SignedStreams::sign_at(std::size_t stream, std::size_t position) {
  const auto senders = clients_of(stream);
  const auto& client = clients_[stream + shape_.streams * (position % senders)];
  const auto nonce = shape_.run + position / senders;
  const auto& body = body_of(position);
  const auto digest = request_digest(domain_, load_app, nonce, static_cast<std::uint32_t>(shape_.bundle), body.root);
  const auto signature = compact(secp256k1_scheme().sign(client.secret, digest));
  const auto header = header_of(nonce, client.key, shape_.bundle, body.root, signature);
  streams_[stream].ids[position] = request_id(digest, client.key);
  std::copy(header.begin(), header.end(),
            streams_[stream].headers.begin() + static_cast<std::ptrdiff_t>(position * header_bytes_));
}

void SignedStreams::sign_ahead(std::size_t count, const std::function<bool(std::uint64_t)>& go_on) {
  for (auto& stream : streams_) resize(stream, count);
  const std::uint64_t total = count * streams_.size();
  std::atomic<std::uint64_t> next{0}, signed_so_far{0};
  std::mutex mutex;
  std::condition_variable ended;
  const std::size_t cores = std::max(1U, std::thread::hardware_concurrency());
  std::size_t running = cores;
  std::vector<std::thread> threads;
  for (std::size_t k = 0; k < cores; ++k) {
    threads.emplace_back([&] {
      for (auto first = next.fetch_add(signed_at_a_time); first < total; first = next.fetch_add(signed_at_a_time)) {
        const auto end = std::min(total, first + signed_at_a_time);
        // All streams grow alike: what is there when it ends early is the beginning of each.
        for (auto i = first; i < end; ++i) sign_at(i % streams_.size(), i / streams_.size());
        signed_so_far += end - first;
      }
      const std::lock_guard lock(mutex);
      --running;
      ended.notify_one();
    });
  }
  {
    std::unique_lock lock(mutex);
    while (!ended.wait_for(lock, std::chrono::milliseconds(100), [&] { return running == 0; })) {
      if (!go_on(signed_so_far)) next = total;
    }
  }
  for (auto& thread : threads) thread.join();
  go_on(signed_so_far);
}

void SignedStreams::sign_next(std::size_t stream) {
  const auto position = size(stream);
  resize(streams_[stream], position + 1);
  sign_at(stream, position);
}

void SignedStreams::write(std::size_t stream, std::size_t position, std::string& out) const {
  out.append(streams_[stream].headers, position * header_bytes_, header_bytes_);
  out.append(body_of(position).bytes);
}

}  // namespace zell
