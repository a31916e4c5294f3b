#include "client/deadline.h"
#include "client/session.h"

namespace zell {

namespace {

/// A long poll at one node is cut into pieces of this, and the others are asked in between whether they have more.
constexpr std::chrono::milliseconds poll_piece{5'000};
constexpr std::chrono::milliseconds retry_pause{100};

}  // namespace

struct LogReader::Impl {
  ClientSession& session;
  ReadOptions options;
  CompactRange range;
  std::size_t preferred;  ///< asked first, and waited for

  Result<LogEntries> next(std::chrono::milliseconds wait) {
    Deadline deadline(wait);
    std::optional<Error> last;
    for (;;) {
      auto nodes = session.candidates(preferred, options.only_node);
      if (nodes.empty()) return session.nobody(std::nullopt);
      auto poll = std::min(deadline.left(), nodes.size() > 1 ? poll_piece : deadline.left());
      bool answered = false;
      for (auto node : nodes) {
        // Only the first is waited for: the others are asked whether it holds something back.
        auto piece = session.read(node, range, options.page_bytes, node == nodes.front() ? poll : poll.zero());
        if (auto usable = session.usable(); !usable) return usable.error();
        if (!piece) {
          last = piece.error();
          continue;
        }
        // The preferred one did not answer: the next wait is at one that does.
        if (!answered && node != nodes.front()) preferred = node;
        answered = true;
        if (piece->requests.empty()) continue;
        preferred = node;
        return piece;
      }
      if (deadline.passed()) return answered ? Result<LogEntries>(empty_piece()) : session.nobody(last);
      if (!answered && !session.pause(std::min(retry_pause, deadline.left()))) return session.usable().error();
    }
  }

  LogEntries empty_piece() const {
    LogEntries out;
    out.first = {range.size() + 1};
    return out;
  }
};

LogReader::LogReader(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
LogReader::LogReader(LogReader&&) noexcept = default;
LogReader& LogReader::operator=(LogReader&&) noexcept = default;
LogReader::~LogReader() = default;

Result<LogEntries> LogReader::next(std::chrono::milliseconds wait) {
  if (auto usable = impl_->session.usable(); !usable) return usable.error();
  return impl_->next(wait);
}

Index LogReader::next_index() const {
  return {impl_->range.size() + 1};
}
Checkpoint LogReader::checkpoint() const {
  return {impl_->range};
}

Result<LogReader> Client::read(ReadOptions options) {
  if (auto usable = session_->usable(); !usable) return usable.error();
  ZELL_CHECK(options.node < session_->nodes.size() && options.from.value >= 1);
  CompactRange range;
  if (options.checkpoint) {
    range = options.checkpoint->range;
  } else if (options.from.value > 1) {
    auto proven = session_->prove_anywhere(Index{options.from.value - 1}, options.node, options.only_node);
    if (!proven) return proven.error();
    range = proven->before;
    range.append(proven->request->leaf);
  }
  auto preferred = options.node;
  return LogReader(std::unique_ptr<LogReader::Impl>(
      new LogReader::Impl{*session_, std::move(options), std::move(range), preferred}));
}

Result<CertificatePtr> Client::verify_log(std::size_t node, const Progress& progress,
                                          const std::function<void(const LogEntries&)>& visit, Index from, Index to) {
  auto target = newest_certificate(node);
  if (!target || !*target) return target;
  const Index end = std::min(to, (*target)->point.index);
  if (from > end) {
    return Error{"not-final",
                 session_->nodes[node].name + " has nothing final above #" +
                     std::to_string((*target)->point.index.value) + ", and is asked for #" + std::to_string(from.value),
                 "zell status"};
  }
  constexpr std::size_t large_page = 4 << 20;
  ReadOptions options;
  options.node = node;
  options.only_node = true;
  options.from = from;
  options.page_bytes = large_page;
  auto reader = read(std::move(options));
  if (!reader) return reader.error();
  CertificatePtr newest;
  while (reader->next_index() <= end) {
    // A node may show a certificate a moment before its store can be read so far.
    auto piece = reader->next(session_->options.patience);
    if (!piece) return piece.error();
    if (piece->requests.empty()) {
      return session_->lied(node, {"log", "it holds back a part of the log that it has a certificate for", ""});
    }
    newest = piece->certificate;
    if (visit) visit(*piece);
    Index done{reader->next_index().value - 1};
    if (progress && !progress(done, std::max(done, end))) {
      return Error{"cancelled", "the check was cancelled at #" + std::to_string(done.value), ""};
    }
  }
  return newest;
}

}  // namespace zell
