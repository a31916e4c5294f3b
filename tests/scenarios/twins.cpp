// twins all [EVERY]           every EVERYth (1: each) of the enumerated scenarios
// twins random SEED COUNT     COUNT deeper scenarios, drawn from SEED, SEED + 1 ...
// twins show all|random N     one of them, step by step
// Exits 1 at a violation, or if the scenarios together missed a situation that they are meant to go through.

#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <string>

#include "tests/scenarios/trace.h"
#include "tests/scenarios/twins_scenario.h"

using namespace zell;
using namespace zell::scenarios;

namespace {

struct Tally {
  std::uint64_t run = 0, violations = 0, messages = 0, final_requests = 0, highest_view = 0;
  std::map<std::string, std::uint64_t> situations{{"two lock certificates at one index", 0},
                                                  {"something final in each of the first three views", 0},
                                                  {"a view change that carried over a lock of what was not final", 0},
                                                  {"an honest member's lock that outranked the new view's base", 0},
                                                  {"evidence found", 0}};
  std::map<std::size_t, std::uint64_t> final_in_view;

  void add(const TwinsOutcome& outcome) {
    ++run;
    violations += !outcome.violation.empty();
    messages += outcome.messages;
    final_requests += outcome.final_requests;
    highest_view = std::max(highest_view, outcome.views);
    situations["two lock certificates at one index"] += outcome.two_locks_at_one_index;
    situations["a view change that carried over a lock of what was not final"] += outcome.crossed_with_a_lock;
    situations["an honest member's lock that outranked the new view's base"] += outcome.lock_outranked_base;
    situations["evidence found"] += outcome.evidence;
    std::size_t in_first_three = 0;
    for (std::size_t view = 0; view < outcome.finalised_in.size(); ++view) {
      final_in_view[view] += outcome.finalised_in[view];
      if (view < 3) in_first_three += outcome.finalised_in[view];
    }
    situations["something final in each of the first three views"] += in_first_three == 3;
  }

  /// True if there was no violation and no situation was missed.
  [[nodiscard]] bool report() const {
    auto wide = [](std::uint64_t n) { return static_cast<unsigned long long>(n); };
    std::printf("%llu scenarios, %llu violations; %llu messages, %llu requests final, up to view %llu\n", wide(run),
                wide(violations), wide(messages), wide(final_requests), wide(highest_view));
    for (const auto& [view, n] : final_in_view) {
      std::printf("  %8llu with something final in view %zu\n", wide(n), view);
    }
    bool good = violations == 0;
    for (const auto& [what, n] : situations) {
      std::printf("  %8llu with %s\n", wide(n), what.c_str());
      good = good && n > 0;
    }
    return good;
  }
};

using Source = std::function<TwinsScenario(std::uint64_t)>;

int run(const std::string& kind, const Source& source, std::uint64_t first, std::uint64_t end, std::uint64_t every) {
  Tally tally;
  for (auto which = first; which < end; which += every) {
    auto scenario = source(which);
    auto outcome = play(scenario);
    tally.add(outcome);
    if (outcome.violation.empty()) continue;
    std::printf("VIOLATION: %s\n  %s\n  see it with: twins show %s %llu\n", outcome.violation.c_str(),
                scenario.text().c_str(), kind.c_str(), static_cast<unsigned long long>(which));
    if (tally.violations == 5) break;
  }
  return tally.report() ? 0 : 1;
}

int show(const TwinsScenario& scenario) {
  Names names;
  Trace trace(names);
  std::printf("%s\n", scenario.text().c_str());
  auto outcome = play(scenario, &trace, [&](const Cluster& cluster) { trace.set_cluster(&cluster); });
  std::fputs(trace.take().c_str(), stdout);
  std::printf("%s\n", outcome.violation.empty() ? "no violation" : outcome.violation.c_str());
  return outcome.violation.empty() ? 0 : 1;
}

int usage() {
  std::fprintf(stderr, "usage: twins all [EVERY] | twins random SEED COUNT | twins show all|random N\n");
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  auto word = [&](int i) { return i < argc ? std::string(argv[i]) : std::string(); };
  auto number = [&](int i) { return std::strtoull(word(i).c_str(), nullptr, 10); };
  if (word(1) == "all" && argc <= 3) return run("all", enumerated, 0, enumerated_count(), argc == 3 ? number(2) : 1);
  if (word(1) == "random" && argc == 4) {
    std::printf("seeds %s to %llu\n", word(2).c_str(), number(2) + number(3) - 1);
    return run("random", drawn, number(2), number(2) + number(3), 1);
  }
  if (word(1) == "show" && argc == 4 && word(2) == "all") return show(enumerated(number(3) % enumerated_count()));
  if (word(1) == "show" && argc == 4 && word(2) == "random") return show(drawn(number(3)));
  return usage();
}
