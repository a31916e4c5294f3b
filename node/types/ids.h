#pragma once
// The protocol's numbers and names, each a type of its own.

#include <chrono>
#include <compare>
#include <cstdint>

#include "node/base/bytes.h"

namespace zell {

using Hash = FixedBytes<32, struct HashTag>;
using ClusterId = FixedBytes<32, struct ClusterIdTag>;
using RequestId = FixedBytes<32, struct RequestIdTag>;
using Nonce32 = FixedBytes<32, struct Nonce32Tag>;
using Address = FixedBytes<20, struct AddressTag>;
using PublicKey = FixedBytes<33, struct PublicKeyTag>;  ///< compressed
/// r || s, low-s: what a request carries.
using CompactSignature = FixedBytes<64, struct CompactSignatureTag>;
/// r || s || v, v = 27 or 28, low-s: what everything that a node signs carries.
using Signature = FixedBytes<65, struct SignatureTag>;

/// A 64-bit number that only mixes with its own kind.
template <class Tag>
struct Number {
  std::uint64_t value = 0;
  friend auto operator<=>(const Number&, const Number&) = default;
  [[nodiscard]] Number next() const { return {value + 1}; }
};
using Index = Number<struct IndexTag>;  ///< a request's position in the log, from 1; 0 is the empty log
using View = Number<struct ViewTag>;    ///< a leader's term, from 0

struct Epoch {
  std::uint32_t value = 0;
  friend auto operator<=>(const Epoch&, const Epoch&) = default;
};

/// A member's position in genesis order, from 0. Node "n1" is 0.
struct NodeId {
  std::uint16_t value = 0;
  friend auto operator<=>(const NodeId&, const NodeId&) = default;
};

/// Time as the core sees it: microseconds on a clock that never goes back. Injected, never read by the core.
using Duration = std::chrono::microseconds;
struct Instant {
  std::int64_t us = 0;
  friend auto operator<=>(const Instant&, const Instant&) = default;
  friend Instant operator+(Instant t, Duration d) { return {t.us + d.count()}; }
  friend Duration operator-(Instant a, Instant b) { return Duration{a.us - b.us}; }
};

/// A log prefix: its length and its RFC 6962 root.
struct LogPoint {
  Index index;
  Hash root;
  friend auto operator<=>(const LogPoint&, const LogPoint&) = default;
};

/// What a view change compares: view first, then index.
struct Rank {
  View view;
  Index index;
  friend auto operator<=>(const Rank&, const Rank&) = default;
};

/// The log prefix that a lock certificate of `view` locks. "No lock" is view 0 and the epoch's first point.
struct Lock {
  View view;
  LogPoint point;
  friend auto operator<=>(const Lock&, const Lock&) = default;
  [[nodiscard]] Rank rank() const { return {view, point.index}; }
};

}  // namespace zell
