#pragma once
// Requests that wait: those this node took in, and, for a leader, those that the others forwarded.

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "node/consensus/io.h"
#include "node/consensus/ordered_log.h"

namespace zell {

/// How many requests that another node answers for are kept, per such node.
inline constexpr std::size_t max_relayed_per_node = 256;
/// So many bytes of them it may always pass on; more, if its share of the pool is larger.
inline constexpr std::size_t least_relayed_bytes = 512 << 10;

/// The requests that this node answers for: submitted here, or passed on by another node. Held until final or refused.
class LocalPool {
 public:
  enum class Where : std::uint8_t { waiting, forwarded, in_log };
  struct Entry {
    RequestPtr request;
    std::uint64_t order = 0;
    Where where = Where::waiting;
    bool submitted = false;  ///< false: only passed on by another node
    NodeId relayed_by;       ///< meaningful when not submitted
    Instant taken_at;
    Index index;                      ///< when in_log
    std::optional<Index> blocked_at;  ///< its nonce was taken or too old in the log up to here
    Instant forwarded_at;             ///< when forwarded, less `waited`
    Duration waited{};                ///< in this view so far, before the leader was lost
    Instant resent_at;
    std::optional<std::uint64_t> owed_since;  ///< censorship timer ran out: requests proposed in the view by then
  };

  explicit LocalPool(const ReplicaOptions& options) : options_(options) {}
  LocalPool(const LocalPool&) = delete;  // its lists point into its entries
  LocalPool& operator=(const LocalPool&) = delete;

  [[nodiscard]] Entry* find(const RequestId& id);
  [[nodiscard]] const Entry* find(const RequestId& id) const;
  [[nodiscard]] bool has_room(const Request& request) const;
  /// Half of the pool is for what is submitted here; of the other half in bytes each of `nodes` has a share.
  [[nodiscard]] bool has_room_for_relayed(const Request& request, NodeId by, std::size_t nodes) const;
  Entry& add(RequestPtr request, bool submitted, NodeId relayed_by);
  /// A user submitted it here too: it is its relayer's no more.
  void now_submitted(Entry& entry);
  void remove(const RequestId& id);
  [[nodiscard]] std::size_t count() const { return entries_.size(); }
  [[nodiscard]] std::size_t submitted_count() const { return entries_.size() - all_relayed_.count; }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

  /// Waiting, not blocked, in order of arrival; at most `limit`.
  [[nodiscard]] std::vector<Entry*> waiting(std::size_t limit);
  /// Waiting or forwarded, and not blocked: work for the leader.
  [[nodiscard]] std::size_t pending() const { return waiting_.size() + forwarded_.size(); }
  [[nodiscard]] std::size_t forwarded() const { return forwarded_.size(); }
  [[nodiscard]] std::vector<Entry*> forwarded_entries();
  [[nodiscard]] std::vector<Entry*> blocked_entries();

  /// Forwarded at or before `when`, and not owed yet.
  [[nodiscard]] std::vector<Entry*> forwarded_before(Instant when);
  /// Its censorship timer ran out when the leader had proposed this many requests in the view.
  void mark_owed(Entry& entry, std::uint64_t proposed);
  [[nodiscard]] std::vector<Entry*> owed_entries();

  void set_where(Entry& entry, Where where);
  void block(Entry& entry, Index at);
  void unblock(Entry& entry);
  /// Others with this sender and nonce.
  [[nodiscard]] std::vector<Entry*> rivals(const Request& request);
  /// Everything that was forwarded waits again: for a new leader (nothing: the censorship clock starts anew), or until
  /// the connection to this one is back (its time so far counts, or a leader could win time by dropping connections).
  void forget_forwarding(std::optional<Instant> disconnected_at);

 private:
  const ReplicaOptions& options_;
  std::uint64_t next_order_ = 1;
  std::size_t bytes_ = 0;
  std::unordered_map<RequestId, Entry> entries_;  // never iterated: order comes from the maps below
  std::map<std::uint64_t, Entry*> waiting_, forwarded_, blocked_, owed_;
  std::map<NonceSlot, std::vector<Entry*>> slots_;  // not hashed: who signs requests chooses their nonces
  struct Share {
    std::size_t count = 0, bytes = 0;
  };
  void release_share(const Entry& entry);
  std::map<NodeId, Share> relayed_;
  Share all_relayed_;
};

/// A leader's queues: one for each forwarding node, at most Q requests each, served round robin.
class ForwardQueues {
 public:
  explicit ForwardQueues(std::uint32_t quota) : quota_(quota) {}
  /// False if the node's queue is full; true also if the request is queued already.
  bool push(NodeId from, const RequestPtr& request);
  [[nodiscard]] bool empty() const { return ids_.empty(); }
  [[nodiscard]] std::size_t count() const { return ids_.size(); }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  /// The next request in turn, or nullptr.
  [[nodiscard]] RequestPtr pop();
  /// Gives back what did not fit: it is the first of its node again.
  void push_front(NodeId from, const RequestPtr& request);
  [[nodiscard]] NodeId last_popped() const { return last_; }
  void clear();

 private:
  std::uint32_t quota_;
  std::map<NodeId, std::deque<RequestPtr>> queues_;
  std::unordered_set<RequestId> ids_;  // never iterated
  std::size_t bytes_ = 0;
  NodeId last_{};
};

}  // namespace zell
