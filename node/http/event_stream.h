#pragma once
// What becomes final, as server-sent events: API.md, "Following". Included by .cpp files of this folder only.

#include <memory>
#include <string>
#include <tuple>

#include "node/http/body_stream.h"
#include "node/http/event_text.h"
#include "node/http/message.h"

namespace zell {

/// Reads the log at its client's pace. Holds one page of the log (stream_page_bytes, or more to reach a certificate)
/// and the text of a piece of it (stream_text_bytes and one request), and reads on when that was taken. Loop thread
/// only.
class EventStream final : public BodyStream, public std::enable_shared_from_this<EventStream> {
 public:
  /// `node` must live until stop().
  EventStream(NodeApi& node, Offload offload, Index from, EventFilter filter);
  ~EventStream() override { stop(); }

  std::size_t take(char* to, std::size_t room) override;
  bool ended() const override { return node_ == nullptr && text_.empty(); }
  void tick() override;
  void keep_alive() override;
  void stop() override { end("this node is stopping"); }

 private:
  using ViewSeen = std::tuple<View, NodeId, bool>;  ///< view, leader, active
  /// Makes text, or asks for what it is made of. REQUIRES: not ended.
  void produce();
  void look_at_view();
  void fetch();
  void fetched(Result<LogPage> page);
  void encode();
  void end(std::string_view why);
  void ready() const {
    if (on_ready) on_ready();
  }

  NodeApi* node_;  ///< null once ended
  Offload offload_;
  EventFilter filter_;
  std::shared_ptr<const Genesis> genesis_;
  Index next_;  ///< of the next page
  std::shared_ptr<const LogPage> page_;
  PageCursor cursor_;
  std::string text_;  ///< whole events, of which `taken_` bytes were taken
  std::size_t taken_ = 0;
  bool fetching_ = false, encoding_ = false;
  CallId call_ = 0;
  std::uint64_t ticks_ = 0, fetch_tick_ = 0;  ///< now, and when the last page was asked for
  bool retry_at_tick_ = false, look_due_ = false;
  std::optional<ViewSeen> view_shown_;
};

}  // namespace zell
