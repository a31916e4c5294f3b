#pragma once
// The end of the finalised log, in memory: what the store has not been told yet, and what is asked for most.

#include <deque>
#include <optional>
#include <unordered_map>
#include <vector>

#include "node/types/vote.h"

namespace zell {

/// Where a finalised request is.
struct Located {
  Index index;
  View view;  ///< in which it was proposed
};

/// Finalised batches as the core reports them, from this process's start. Loop thread only.
class RecentLog {
 public:
  static constexpr std::size_t kept_bytes = 8u << 20;   ///< kept although durable, up to so much
  static constexpr std::size_t kept_requests = 32'768;  ///< likewise

  /// `start`: what is final already. The batches follow it.
  explicit RecentLog(Index start) : start_(start), durable_(start) {}

  /// REQUIRES: `batch` follows end().
  void add(const BatchPtr& batch);
  /// The store has a finality certificate of this index or a higher one.
  void durable_to(Index index);

  [[nodiscard]] Index end() const { return batches_.empty() ? start_ : batches_.back()->header.end.index; }
  [[nodiscard]] Index durable() const { return durable_; }
  /// A finalised request that is still here.
  [[nodiscard]] std::optional<Located> find(const RequestId& id) const;
  [[nodiscard]] RequestPtr request(Index index) const;
  /// The batches from the one that contains `from` to the end; empty if `from` is not here.
  [[nodiscard]] std::vector<BatchPtr> since(Index from) const;

 private:
  void trim();

  Index start_, durable_;
  std::deque<BatchPtr> batches_;
  std::unordered_map<RequestId, Located> ids_;
  std::size_t bytes_ = 0;
};

}  // namespace zell
