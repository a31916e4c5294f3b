#pragma once
// The body of an answer that is made while it is sent, at the client's pace.

#include <cstddef>
#include <functional>

namespace zell {

/// Loop thread only. The server asks for more only once the client has taken what it was given, so whoever implements
/// this needs to hold only little.
class BodyStream {
 public:
  BodyStream() = default;
  virtual ~BodyStream() = default;
  BodyStream(const BodyStream&) = delete;
  BodyStream& operator=(const BodyStream&) = delete;

  /// Moves the next bytes out, at most `room`. 0: there are none now, and on_ready is called once there are; or none
  /// will come any more, see ended().
  [[nodiscard]] virtual std::size_t take(char* to, std::size_t room) = 0;
  [[nodiscard]] virtual bool ended() const = 0;

  /// Called about twice a second: a look at what announces itself to nobody.
  virtual void tick() = 0;
  /// Nothing was sent for a while: makes bytes that mean nothing, for clients that would take silence for death.
  virtual void keep_alive() = 0;
  /// The server stops, or the client has left: lets go of the node. What is left to take may still be taken.
  virtual void stop() = 0;

  std::function<void()> on_ready;  ///< set by the server; may run while take() does
};

}  // namespace zell
