#pragma once
// The Prometheus text format, version 0.0.4, written one family after the other. What each of ours means: METRICS.md.

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <set>
#include <string>
#include <string_view>

#include "node/metrics/bucket_histogram.h"

namespace zell {

/// One name="value" of a sample. The value may be any UTF-8: it is escaped.
struct Label {
  std::string_view name, value;
};
using Labels = std::initializer_list<Label>;

/// Not thread-safe. Names are ours: a bad or repeated one is a bug, and checked.
class MetricsText {
 public:
  /// Each begins a family; what is added next belongs to it. A counter's name ends in _total. `help` is one line.
  void counter(std::string_view name, std::string_view help) { begin(name, help, "counter"); }
  void gauge(std::string_view name, std::string_view help) { begin(name, help, "gauge"); }
  /// REQUIRES: a family was begun; no two of its samples have the same labels.
  void add(std::integral auto value, Labels labels = {}) { sample("", labels, {}, std::to_string(value)); }
  void add(bool value, Labels labels = {}) { sample("", labels, {}, value ? "1" : "0"); }
  void add(double value, Labels labels = {}) { sample("", labels, {}, number(value)); }

  // Families of one sample.
  void counter(std::string_view name, std::string_view help, auto value) {
    counter(name, help);
    add(value);
  }
  void gauge(std::string_view name, std::string_view help, auto value) {
    gauge(name, help);
    add(value);
  }
  void histogram(std::string_view name, std::string_view help, const BucketHistogram& values);

  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  void begin(std::string_view name, std::string_view help, std::string_view type);
  void sample(std::string_view suffix, Labels labels, std::string_view le, std::string_view value);
  void write_labels(Labels labels, std::string_view le);
  [[nodiscard]] static std::string number(double value);

  std::string text_, family_;
  std::set<std::string, std::less<>> families_;
};

}  // namespace zell
