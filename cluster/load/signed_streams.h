#pragma once
// The requests of a load, signed: as many streams as nodes are asked, each in the order in which it is sent.

#include <functional>
#include <string>
#include <vector>

#include "node/crypto/keys.h"
#include "node/wire/signed_structures.h"

namespace zell {

inline constexpr std::string_view load_app = "bench";

struct LoadShape {
  std::size_t streams = 1;
  std::size_t clients = 64;  ///< senders, each with a key of its own; at least one a stream
  std::size_t bundle = 1;    ///< payloads a request
  std::size_t payload_bytes = 128;
  std::uint64_t run = 0;  ///< microseconds since 1970: the first nonce, and what the keys are made from
};

/// Requests hold random bytes, the same few in turn: only what differs is kept for each, so that a minute's load fits
/// in memory. Client c sends to stream c % streams only, with rising nonces. One thread, but for sign_ahead()'s own.
class SignedStreams {
 public:
  SignedStreams(const SigningDomain& domain, const LoadShape& shape);

  /// Until each stream holds `count` requests, on all cores. `go_on` is called now and then with how many there are in
  /// all; false ends it early.
  void sign_ahead(std::size_t count, const std::function<bool(std::uint64_t)>& go_on);
  /// One more at the end of a stream.
  void sign_next(std::size_t stream);

  [[nodiscard]] std::size_t size(std::size_t stream) const { return streams_[stream].ids.size(); }
  [[nodiscard]] const RequestId& id(std::size_t stream, std::size_t position) const {
    return streams_[stream].ids[position];
  }
  /// Adds its canonical bytes to `out`.
  void write(std::size_t stream, std::size_t position, std::string& out) const;
  /// Of one request.
  [[nodiscard]] std::size_t request_bytes() const { return header_bytes_ + bodies_.front().bytes.size(); }

 private:
  struct Client {
    SecretKey secret;
    PublicKey key;
  };
  struct Body {
    std::string bytes;
    Hash root;
  };
  struct Stream {
    std::vector<RequestId> ids;
    std::string headers;  ///< each of header_bytes_
  };
  [[nodiscard]] std::size_t clients_of(std::size_t stream) const;
  [[nodiscard]] const Body& body_of(std::size_t position) const { return bodies_[position % bodies_.size()]; }
  /// REQUIRES: the stream has a place for it.
  void sign_at(std::size_t stream, std::size_t position);
  void resize(Stream& stream, std::size_t count) const;

  SigningDomain domain_;
  LoadShape shape_;
  std::vector<Client> clients_;
  std::vector<Body> bodies_;
  std::vector<Stream> streams_;
  std::size_t header_bytes_ = 0;
};

}  // namespace zell
