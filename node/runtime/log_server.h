#pragma once
// Answers peers that fetch the finalised log, without letting them take the disk or the memory for themselves.

#include <functional>
#include <vector>

#include "node/consensus/io.h"
#include "node/runtime/driver.h"
#include "node/storage/store.h"

namespace zell {

inline constexpr std::size_t served_bytes = 2u << 20;  ///< of one Chunk, unless its first certificate lies further
/// Chunks that a peer is sent ahead of its questions: one is read and one is on its way while it checks a third.
inline constexpr unsigned chunks_ahead = 3;

/// Loop thread only. A peer that catches up asks again with each chunk that it has taken in. It would wait for the
/// disk, the network and its own checks one after the other; so the first question is answered with several chunks, and
/// each that shows that they arrive with one more.
class LogServer {
 public:
  struct Outlets {
    /// Runs the first off the loop, then the second on it. Codes: "busy", "stopped".
    std::function<Status(std::function<void(Store&)>, std::function<void()>)> read;
    std::function<bool(NodeId)> has_room;  ///< in the peer's bulk lane
    std::function<void(NodeId, Lane, FramePtr)> send;
    std::function<void(const Error&)> failed;  ///< the store could not be read
  };
  LogServer(Epoch epoch, std::size_t members, Outlets outlets)
      : epoch_(epoch), outlets_(std::move(outlets)), peers_(members) {}

  /// What can't be sent now is left out: the peer asks again.
  void serve(const ServeLog& what);

 private:
  struct Peer {
    Index asked;         ///< the last question: what it has
    Index sent;          ///< what is on its way to it goes up to here
    unsigned ahead = 0;  ///< chunks to be sent yet
    bool reading = false;
    std::uint64_t start = 0;  ///< counts the questions that began anew
  };
  struct Encoded {
    FramePtr frame;  ///< null: nothing more is final in the store
    Index end;
  };
  [[nodiscard]] static Result<Encoded> encode(Store& store, Index from, Epoch epoch);
  void read_next(NodeId to);
  void on_read(NodeId to, std::uint64_t start, const Result<Encoded>& chunk);

  const Epoch epoch_;
  Outlets outlets_;
  std::vector<Peer> peers_;
};

}  // namespace zell
