#pragma once
// What became of requests that were submitted.

#include <chrono>
#include <map>
#include <string>

#include "client/client.h"

namespace zell::cli {

/// Counts it, and prints each as it is asked for: with --json all of them, else those that failed.
class SubmitTally {
 public:
  /// `wait` is the state that is waited for, in words.
  SubmitTally(const Client& client, std::string wait) : client_(client), wait_(std::move(wait)) {}

  void add(const Outcome& outcome, std::chrono::microseconds took);
  /// "✓ finalised  #2  3 of 4 signatures  8 ms  0x9f3c…"
  void print_one(const Outcome& outcome, std::chrono::microseconds took) const;
  /// "2 finalised, 0 failed  #3..#4"
  void print_all(std::chrono::microseconds took) const;
  [[nodiscard]] int exit_code() const;
  [[nodiscard]] std::uint64_t total() const { return total_; }
  [[nodiscard]] bool all_good() const { return refused_ + late_ == 0; }

 private:
  const Client& client_;
  std::string wait_;
  std::map<std::string, std::uint64_t> failures_;  ///< how many, by reason
  std::uint64_t total_ = 0, refused_ = 0, late_ = 0;
  Index first_, last_;
};

}  // namespace zell::cli
