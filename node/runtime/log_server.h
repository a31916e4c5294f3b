#pragma once
// Answers peers that fetch the finalised log, without letting them take the disk or the memory for themselves.

#include <functional>
#include <vector>

#include "node/consensus/io.h"
#include "node/runtime/driver.h"
#include "node/runtime/storage_link.h"

namespace zell {

inline constexpr std::size_t served_bytes = 4u << 20;  ///< of one Chunk, unless its first certificate lies further
inline constexpr std::size_t serves_per_peer = 2;      ///< being read or encoded at once

/// Loop thread only. `storage` outlives it.
class LogServer {
 public:
  struct Outlets {
    std::function<bool(NodeId)> has_room;  ///< in the peer's bulk lane
    std::function<void(NodeId, Lane, FramePtr)> send;
    std::function<void(const Error&)> failed;  ///< the store could not be read
  };
  LogServer(StorageLink& storage, Epoch epoch, std::size_t members, Outlets outlets)
      : storage_(storage), epoch_(epoch), outlets_(std::move(outlets)), serving_(members) {}

  /// Reads and encodes off the loop. Skipped when the peer has its share already: it asks again.
  void serve(const ServeLog& what);

 private:
  StorageLink& storage_;
  const Epoch epoch_;
  Outlets outlets_;
  std::vector<std::size_t> serving_;  ///< by member
};

}  // namespace zell
