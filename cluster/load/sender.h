#pragma once
// Sends signed requests to nodes over HTTP as a plan says, and records what becomes of them.

#include <chrono>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "client/http_pool.h"
#include "cluster/load/answer_scan.h"
#include "cluster/load/recorder.h"
#include "cluster/load/schedule.h"
#include "cluster/load/signed_streams.h"

namespace zell {

struct LoadPlan {
  std::vector<std::string> urls;  ///< of the nodes asked, one a stream
  std::optional<double> rate;     ///< requests a second, open loop; none: as many as the cluster takes
  std::chrono::milliseconds warmup{2'000}, duration{10'000};
  std::chrono::milliseconds timeout{30'000};  ///< what is not answered by then is unknown
  RequestState wait = RequestState::finalised;
  /// Without a rate: so many are under way at any moment.
  std::size_t in_flight = 4'096;
  /// With one: what a node is too busy for is sent again, not given up. Without one it always is.
  bool retry = false;
};

/// How far a load is.
struct LoadProgress {
  std::chrono::nanoseconds elapsed{};
  const LoadCounts& counts;
};

struct LoadHooks {
  std::function<void()> window_begins, every_second, window_ends;
  /// Ten times a second; false ends the load at once.
  std::function<bool(const LoadProgress&)> go_on;
};

struct LoadSummary {
  bool interrupted = false;
  std::chrono::nanoseconds behind_max{};  ///< of requests due in the measured window: how late they were sent
  std::uint64_t signed_while_sending = 0;
  std::uint64_t posts = 0;
  std::string first_error;  ///< of those that were no plain refusal; for people
};

/// With a rate the schedule alone says when a request is due, and latency counts from then: nothing waits for answers.
/// What is due at the same moment for one node goes as one POST, and while many POSTs are under way at a node, moments
/// grow longer, so that its connections suffice. Without a rate each of a fixed number of POSTs is followed by the next
/// when it is answered, and its requests are due when it is first sent.
class Sender {
 public:
  Sender(LoadPlan plan, SignedStreams& streams, Recorder& recorder, LoadHooks hooks);
  /// Returns when all has been answered, or can't be any more. Once.
  [[nodiscard]] LoadSummary run();

 private:
  using Clock = HttpPool::Clock;
  using Time = std::chrono::nanoseconds;

  struct Entry {
    std::size_t position;  ///< in its stream
    Time intended;
  };
  using Entries = std::vector<Entry>;
  struct Waiting {
    Time due;
    std::string code;  ///< what it was refused with
    Entries entries;
  };
  struct Target {
    std::string url;
    std::size_t next = 0;         ///< position of the first request that was never sent
    std::size_t under_way = 0;    ///< POSTs
    std::deque<Waiting> retries;  ///< POSTs to send again
    Time last_sent{-1}, paused_until{};
  };

  [[nodiscard]] Time now() const { return Clock::now() - start_; }
  [[nodiscard]] bool is_sending() const;
  /// There is more to come on its schedule.
  [[nodiscard]] bool has_more(std::size_t target) const;
  void send_due();
  void send_scheduled(std::size_t target);
  void send_saturating();
  void send_retries(std::size_t target);
  [[nodiscard]] bool has_free_slot(const Target& target) const;
  [[nodiscard]] Time gap_of(const Target& target) const;
  void send_new(std::size_t target, std::size_t count);
  void post(std::size_t target, Entries entries);
  void take_answer(std::size_t target, const Entries& entries, Result<HttpReply> reply);
  void take_results(std::size_t target, const Entries& entries, const HttpReply& reply);
  void take_error(std::size_t target, const Entries& entries, const Error& error, std::chrono::seconds retry_after);
  void refuse(std::size_t target, Entries entries, std::string_view code, std::chrono::seconds retry_after);
  void note(const std::string& what);
  [[nodiscard]] bool retries(std::string_view code) const;
  void give_up_retries();
  void call_hooks();
  [[nodiscard]] Time next_wake() const;
  [[nodiscard]] bool all_answered() const;

  LoadPlan plan_;
  SignedStreams& streams_;
  Recorder& recorder_;
  LoadHooks hooks_;
  std::optional<Schedule> schedule_;
  std::vector<Target> targets_;
  std::size_t posts_at_once_ = 1, requests_a_post_ = 1;  ///< without a rate
  std::size_t first_asked_ = 0;                          ///< where the next round over the nodes begins
  std::vector<ScannedAnswer> answers_;                   ///< used again by each answer
  HttpPool pool_;
  Clock::time_point start_;
  Time begin_, end_, next_second_, next_look_{};
  bool begun_ = false, ended_ = false;
  LoadSummary summary_;
};

}  // namespace zell
