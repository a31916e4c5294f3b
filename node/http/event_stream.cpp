#include "node/http/event_stream.h"

#include <algorithm>
#include <cstring>

#include "node/http/routes.h"

namespace zell {

EventStream::EventStream(NodeApi& node, Offload offload, Index from, EventFilter filter)
    : node_(&node),
      offload_(std::move(offload)),
      filter_(std::move(filter)),
      genesis_(std::make_shared<Genesis>(node.genesis())),
      next_(from) {
  // With an id, so that a client that is cut off before the first event comes back to the same place.
  Index before{from.value - 1};
  text_ = "retry: " + std::to_string(stream_retry.count()) + "\n" + id_text(before);
  // Who was cut off between the last request and its certificate gets it now.
  auto certificate = node.certificate();
  if (filter_.certificates && certificate && certificate->point.index == before) {
    text_ += event_text("certificate", before, json_of(*certificate, *genesis_));
  }
  look_at_view();
}

std::size_t EventStream::take(char* to, std::size_t room) {
  if (text_.empty() && node_ != nullptr) produce();
  auto count = std::min(room, text_.size() - taken_);
  std::memcpy(to, text_.data() + taken_, count);
  taken_ += count;
  if (taken_ == text_.size()) {
    std::string().swap(text_);
    taken_ = 0;
  }
  return count;
}

void EventStream::produce() {
  if (look_due_) look_at_view();
  if (fetching_ || encoding_ || retry_at_tick_) return;
  if (page_) {
    encode();
  } else {
    fetch();
  }
}

void EventStream::tick() {
  ++ticks_;
  if (node_ == nullptr) return;
  retry_at_tick_ = false;
  look_due_ = true;
  if (!text_.empty()) return;  // the client has enough to read
  produce();
  if (!text_.empty()) ready();
}

void EventStream::keep_alive() {
  if (node_ == nullptr || !text_.empty()) return;
  text_ = comment_text("nothing new");
  ready();
}

void EventStream::look_at_view() {
  look_due_ = false;
  auto status = node_->status();
  ViewSeen seen{status.view, status.leader, status.active};
  if (view_shown_ == seen) return;
  view_shown_ = seen;
  text_ += event_text("view", std::nullopt, view_json(status, *genesis_));
}

void EventStream::fetch() {
  fetching_ = true;
  fetch_tick_ = ticks_;
  LogQuery query;
  query.from = next_;
  query.max_bytes = stream_page_bytes;
  query.timeout = max_wait;
  auto call = node_->read_log(query, [weak = weak_from_this()](Result<LogPage> page) {
    if (auto self = weak.lock()) self->fetched(std::move(page));
  });
  if (fetching_) call_ = call;  // not answered yet
}

void EventStream::fetched(Result<LogPage> page) {
  fetching_ = false;
  call_ = 0;
  if (!page) return end(page.error().code + ": " + page.error().what);
  if (page->finalised.empty()) {
    // A wait that was over: go on waiting. One that was cut short at once would be cut short again.
    retry_at_tick_ = ticks_ < fetch_tick_ + 2;
    return produce();
  }
  page_ = std::make_shared<const LogPage>(std::move(*page));
  cursor_ = {};
  encode();
}

void EventStream::encode() {
  encoding_ = true;
  struct Piece {
    PageCursor cursor;
    std::string text;
  };
  auto piece = std::make_shared<Piece>(Piece{cursor_, {}});
  // Copies: this may be gone when the work runs.
  auto work = [piece, page = page_, from = next_, filter = filter_, genesis = genesis_] {
    piece->text = write_page(*page, from, filter, *genesis, stream_text_bytes, piece->cursor);
  };
  auto done = [piece, weak = weak_from_this()] {
    auto self = weak.lock();
    if (!self || self->node_ == nullptr) return;
    self->encoding_ = false;
    self->cursor_ = piece->cursor;
    self->text_ += piece->text;
    if (piece->cursor.done) {
      self->next_ = self->page_->finalised.back()->header.end.index.next();
      self->page_.reset();
    }
    self->ready();
  };
  if (bytes_of(*page_) > offload_bytes) return offload_(work, done);
  work();
  done();
}

void EventStream::end(std::string_view why) {
  if (node_ == nullptr) return;
  if (call_ != 0) node_->cancel(call_);
  call_ = 0;
  node_ = nullptr;
  page_.reset();
  text_ += comment_text(why);
  ready();
}

}  // namespace zell
