#include "cluster/load/recorder.h"

#include <algorithm>

#include "node/base/check.h"

namespace zell {

namespace {

void count(std::map<std::string, std::uint64_t, std::less<>>& by, std::string_view code, std::uint64_t requests) {
  auto found = by.find(code);
  if (found == by.end()) found = by.emplace(code, 0).first;
  found->second += requests;
}

}  // namespace

Recorder::Recorder(Time warmup, Time duration) : begin_(warmup), end_(warmup + duration) {
  constexpr Time second = std::chrono::seconds(1);
  counts_.seconds.resize(static_cast<std::size_t>((duration + second - Time(1)) / second));
}

LoadSecond& Recorder::second_of(Time time) {
  return counts_.seconds[static_cast<std::size_t>((time - begin_) / std::chrono::seconds(1))];
}

void Recorder::finalised(Time now, Time intended, Index index) {
  ZELL_CHECK(now >= intended);
  ++counts_.finalised;
  if (index.value != 0) {
    counts_.first = counts_.first.value == 0 ? index : std::min(counts_.first, index);
    counts_.last = std::max(counts_.last, index);
  }
  const auto took =
      static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(now - intended).count());
  if (in_window(intended)) counts_.latency.record(took);
  if (!in_window(now)) return;
  ++counts_.final_in_window;
  auto& second = second_of(now);
  ++second.requests;
  second.latency.record(took);
}

void Recorder::refused(Time now, std::string_view code, std::uint64_t requests) {
  counts_.refused += requests;
  count(counts_.refused_by, code, requests);
  if (in_window(now)) second_of(now).refused += requests;
}

void Recorder::failed(std::string_view code, std::uint64_t requests) {
  counts_.failed += requests;
  count(counts_.failed_by, code, requests);
}

}  // namespace zell
