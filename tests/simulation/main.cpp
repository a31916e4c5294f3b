// simulate FIRST COUNT [options]: runs COUNT seeds from FIRST, prints what happened in them, exits 1 at a violation.
//   --verbose              a line for each noteworthy step
//   --messages             and for each message that arrives
//   --require-all          fail if the runs together missed a situation that they are meant to go through
//   --no-signature-checks  look only at what users see (histories, finality), not at what each node signs
//   --expect-violation     for planted bugs: stop at the first violation, fail if there is none

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "tests/simulation/observer.h"

using namespace zell;
using namespace zell::simulation;

namespace {

struct Options {
  std::uint64_t first = 0, count = 0;
  bool verbose = false, messages = false, require_all = false, check_signatures = true, expect_violation = false;
};

bool read(int argc, char** argv, Options& out) {
  if (argc < 3) return false;
  out.first = std::strtoull(argv[1], nullptr, 10);
  out.count = std::strtoull(argv[2], nullptr, 10);
  for (int i = 3; i < argc; ++i) {
    std::string_view arg = argv[i];
    if (arg == "--messages")
      out.messages = out.verbose = true;
    else if (arg == "--verbose")
      out.verbose = true;
    else if (arg == "--require-all")
      out.require_all = true;
    else if (arg == "--no-signature-checks")
      out.check_signatures = false;
    else if (arg == "--expect-violation")
      out.expect_violation = true;
    else
      return false;
  }
  return true;
}

unsigned long long wide(std::uint64_t n) {
  return n;
}

Outcome run_one(std::uint64_t seed, const Options& options) {
  auto plan = Plan::from(seed);
  plan.say_messages = options.messages;
  plan.check_signatures = options.check_signatures;
  std::function<void(const std::string&)> log;
  if (options.verbose) {
    std::printf("%s\n", plan.text().c_str());
    log = [](const std::string& line) { std::printf("  %s\n", line.c_str()); };
  }
  auto outcome = run(plan, log);
  if (!outcome.violation.empty()) {
    std::printf("VIOLATION in %s\n  %s\n  reproduce: simulate %llu 1 --verbose\n", plan.text().c_str(),
                outcome.violation.c_str(), wide(seed));
  }
  return outcome;
}

/// How many required situations are missing.
std::uint64_t missing(const Seen& totals) {
  std::uint64_t out = 0;
  for (const auto& what : required_situations()) {
    auto found = totals.find(what);
    if (found != totals.end() && found->second > 0) continue;
    std::printf("MISSING: no run went through: %s\n", what.c_str());
    ++out;
  }
  return out;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  if (!read(argc, argv, options)) {
    std::fprintf(stderr,
                 "usage: simulate FIRST_SEED COUNT [--verbose|--messages] [--require-all] [--no-signature-checks] "
                 "[--expect-violation]\n");
    return 2;
  }
  Seen totals;
  std::uint64_t failed = 0, done = 0;
  auto began = std::chrono::steady_clock::now();
  for (; done < options.count && failed < (options.expect_violation ? 1 : 10); ++done) {
    auto outcome = run_one(options.first + done, options);
    totals["steps"] += outcome.steps;
    totals["messages"] += outcome.messages;
    totals["final requests"] += outcome.final_requests;
    for (const auto& [what, n] : outcome.seen) totals[what] += n;
    failed += !outcome.violation.empty();
  }
  double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  if (options.expect_violation) {
    std::printf("%s after %llu seeds, %.1f s\n", failed ? "caught" : "NOT CAUGHT", wide(done), seconds);
    return failed ? 0 : 1;
  }
  for (const auto& [what, n] : totals) std::printf("%12llu  %s\n", wide(n), what.c_str());
  std::printf("%llu seeds from %llu in %.1f s, %llu violations\n", wide(done), wide(options.first), seconds,
              wide(failed));
  auto lacking = options.require_all ? missing(totals) : 0;
  return failed == 0 && lacking == 0 ? 0 : 1;
}
