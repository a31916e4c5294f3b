// simulate FIRST COUNT [--verbose|--messages]: runs COUNT seeds from FIRST, prints what happened in them, exits 1 at a
// violation.

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>

#include "tests/simulation/world.h"

using namespace zell;
using namespace zell::simulation;

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: simulate FIRST_SEED COUNT [--verbose|--messages]\n");
    return 2;
  }
  std::uint64_t first = std::strtoull(argv[1], nullptr, 10), count = std::strtoull(argv[2], nullptr, 10);
  bool messages = argc > 3 && std::strcmp(argv[3], "--messages") == 0;
  bool verbose = messages || (argc > 3 && std::strcmp(argv[3], "--verbose") == 0);
  std::map<std::string, std::uint64_t> totals;
  std::uint64_t failed = 0;
  auto began = std::chrono::steady_clock::now();
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    auto plan = Plan::from(seed);
    plan.say_messages = messages;
    if (verbose) std::printf("%s\n", plan.text().c_str());
    std::function<void(const std::string&)> log;
    if (verbose) log = [](const std::string& line) { std::printf("  %s\n", line.c_str()); };
    auto outcome = run(plan, log);
    totals["steps"] += outcome.steps;
    totals["messages"] += outcome.messages;
    totals["runs that changed views"] += outcome.view_changes > 0;
    totals["runs that crossed a view change with a lock held"] += outcome.crossed_with_lock;
    totals["runs in which a lock was overridden by a base"] += outcome.lock_overridden;
    totals["crashes"] += outcome.crashes;
    totals["commits lost in a crash"] += outcome.lost_commits;
    totals["pieces of evidence"] += outcome.evidence;
    totals["rejoined learners"] += outcome.rejoined;
    totals[std::string("runs with fault: ") + std::string(to_string(plan.fault))] += 1;
    if (outcome.violation.empty()) continue;
    ++failed;
    std::printf("VIOLATION in %s\n  %s\n  reproduce: simulate %llu 1 --verbose\n", plan.text().c_str(),
                outcome.violation.c_str(), static_cast<unsigned long long>(seed));
    if (failed == 10) break;
  }
  double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  for (const auto& [what, n] : totals) std::printf("%12llu  %s\n", static_cast<unsigned long long>(n), what.c_str());
  std::printf("%llu seeds from %llu in %.1f s, %llu violations\n", static_cast<unsigned long long>(count),
              static_cast<unsigned long long>(first), seconds, static_cast<unsigned long long>(failed));
  return failed == 0 ? 0 : 1;
}
