#pragma once
// What goes into the core and what comes out. The core is a function: step(Input, now) -> Effects.

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "node/types/genesis.h"
#include "node/wire/delta.h"
#include "node/wire/verifier.h"

namespace zell {

using PersistId = std::uint64_t;  ///< 0: none

// ---- Inputs

/// A checked message. `from` is the connection it came on (or this node itself, for what it signed and sent to itself).
struct Received {
  NodeId from;
  VerifiedMessage message;
};
/// A client's requests, checked: they go on together. Each is answered at once by a RequestUpdate.
struct Submit {
  Requests requests;
};
/// The handshake with this member is done: messages to it go out from now on, after whatever resynchronises it.
struct PeerUp {
  NodeId node;
};
/// refused: the connection was reset or closed and a new one is refused, so the process is gone.
struct PeerDown {
  NodeId node;
  bool refused = false;
};
/// The Persist of this id, and all before it, are durable.
struct Persisted {
  PersistId id = 0;
};
/// The disk failed: from now on nothing is signed. Reads go on.
struct PersistFailed {
  std::string why;
};
/// The time asked for by Effects::wake_at has come (an early or spurious one does no harm).
struct Tick {};
/// An operator's `zell challenge`: this node challenges the leader of its view.
struct ChallengeNow {};
/// The process is about to end: what waits for company on its way to the disk goes now.
struct Closing {};

using Input = std::variant<Received, Submit, PeerUp, PeerDown, Persisted, PersistFailed, Tick, ChallengeNow, Closing>;

// ---- Effects

/// Goes out once `after` is durable (0: at once). Persists become durable in order, and sends keep their order.
struct Send {
  enum class To : std::uint8_t { one, others, all };  ///< all: the others and this node itself, as a Received
  To to = To::others;
  NodeId node;  ///< meaningful when to == one; may be this node
  MessagePtr message;
  bool sign = false;  ///< the runtime fills in this node's signature first (sign_message)
  PersistId after = 0;
};

struct Persist {
  PersistId id = 0;
  Delta delta;
};

/// Answer a peer's Fetch from the store: finalised batches after `from`, with the FC that ends them
/// (Store::read_certified), as one Chunk.
struct ServeLog {
  NodeId to;
  Index from;
};

/// Is a verified FC below what is final here of this node's own log? If the log's root at its index is another, the
/// answer is a Received from this node itself: the Conflict with the newest FC. Else there is none.
struct CheckFinality {
  Certificate certificate;
};

/// A request's state changed, for the requests that were submitted here. `reason` is set when refused: duplicate,
/// nonce-too-old, busy, learner, stopped, bad-app.
struct RequestUpdate {
  RequestId id;
  RequestState state{};
  Index index;  ///< from sequenced on
  View view;
  std::string_view reason;
  Duration since_taken{};  ///< finalised: how long this node had it
};
/// Final, and in order: every index once over the life of the process.
struct Finalised {
  BatchPtr batch;
};
struct ViewChanged {
  View view;
  NodeId leader;
  bool active = false;
  Index base;  ///< when active
};
struct Challenged {
  View view;
  Reason reason{};
};
/// Refused without being a fault of ours: for the log and the counters.
struct Noted {
  std::string_view what;
  std::optional<NodeId> about;
};
/// The node stops taking part: conflicting certificates, or a failed disk.
struct Stopped {
  std::string code;  ///< "safety-violation" or "storage-failed"
  std::string why;
};
using Event = std::variant<RequestUpdate, Finalised, ViewChanged, Challenged, Noted, Stopped>;

/// In the order in which they must be carried out: drop_held, then persists, then the rest.
struct Effects {
  /// The view was left, or the node became a learner: every send of an earlier step that is still held and is this
  /// node's own word (Send::sign) is dropped, so that nothing of an old view goes out once a higher one is durable.
  bool drop_held = false;
  std::vector<Persist> persists;
  std::vector<Send> sends;
  std::vector<ServeLog> serves;
  std::vector<CheckFinality> checks;
  std::vector<Event> events;
  std::optional<Instant> wake_at;  ///< call step(Tick) then, unless another step says otherwise before
};

/// What this process brings to the core beside genesis. Local choices: they may differ between nodes.
struct ReplicaOptions {
  std::uint64_t incarnation =
      1;                ///< grows over restarts (e.g. microseconds since 1970 at start): heartbeat counters start here
  Nonce32 query_nonce;  ///< fresh random bytes, for a learner's questions
  std::size_t pool_max_requests = 65'536;  ///< initialised requests held
  std::size_t pool_max_bytes = 64 << 20;
};

/// For status and metrics; a copy, taken between steps.
struct ReplicaStatus {
  View view;
  bool active = false;
  NodeId leader;
  Standing standing{};
  std::optional<View> rejoins_above;  ///< a learner: it votes again in any later view; none yet: too few have answered
  LogPoint sequenced, locked, finalised;
  Index known_final;  ///< newest verified FC, whose bodies may still be missing here
  std::size_t pool_requests = 0, pool_bytes = 0;
  std::size_t pool_submitted = 0;                         ///< of the requests: submitted here, not passed on by others
  std::uint64_t taken_in = 0;                             ///< requests submitted here and put into the pool, ever
  std::size_t unfinalised_batches = 0, side_batches = 0;  ///< on this node's log above what is final; on other branches
  std::size_t held_proposals = 0, wants = 0;              ///< come early; logs asked for
  Duration view_timeout{};
  std::optional<Reason> challenging;  ///< this node's own challenge of its view
  std::uint64_t evidence_count = 0;
  std::string stopped_code, stopped_why;  ///< empty while it runs
  Instant view_since;
};

}  // namespace zell
