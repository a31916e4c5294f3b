// simulate FIRST COUNT [options]: runs COUNT seeds from FIRST, prints what happened in them, exits 1 at a violation.
// simulate --shrink SEED [options]: finds a small plan that still fails, prints its command and its last steps.
//   --plan 'NAME=VALUE,...'  changes each seed's plan
//   --jobs N                 so many runs at once; the results are those of one
//   --diagram FILE           draws the messages of the last steps, as SVG if the name ends so, else as text; of one
//   seed
//   --verbose                a line for each noteworthy step
//   --messages               and for each message that arrives
//   --require-all            fail if the runs together missed a situation that they are meant to go through
//   --by-mix                 runs and violations for each fault and behaviour that a plan can have
//   --no-signature-checks    look only at what users see (histories, finality), not at what each node signs
//   --expect-violation       for planted bugs: stop at the first violation, fail if there is none

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <mutex>
#include <string>
#include <thread>

#include "tests/simulation/describe.h"
#include "tests/simulation/diagram.h"
#include "tests/simulation/observer.h"
#include "tests/simulation/plan_text.h"
#include "tests/simulation/shrink.h"
#include "tests/simulation/world.h"

using namespace zell;
using namespace zell::simulation;

namespace {

struct Options {
  std::uint64_t first = 0, count = 0;
  std::string plan, diagram;
  unsigned jobs = 1;
  bool shrink = false, verbose = false, messages = false, require_all = false, by_mix = false, check_signatures = true,
       expect_violation = false;
};

bool read(int argc, char** argv, Options& out) {
  if (argc < 3) return false;
  out.shrink = std::strcmp(argv[1], "--shrink") == 0;
  out.first = std::strtoull(argv[out.shrink ? 2 : 1], nullptr, 10);
  out.count = out.shrink ? 1 : std::strtoull(argv[2], nullptr, 10);
  for (int i = 3; i < argc; ++i) {
    std::string_view arg = argv[i];
    const char* value = i + 1 < argc ? argv[i + 1] : nullptr;
    if (arg == "--messages")
      out.messages = out.verbose = true;
    else if (arg == "--verbose")
      out.verbose = true;
    else if (arg == "--require-all")
      out.require_all = true;
    else if (arg == "--by-mix")
      out.by_mix = true;
    else if (arg == "--no-signature-checks")
      out.check_signatures = false;
    else if (arg == "--expect-violation")
      out.expect_violation = true;
    else if (arg == "--plan" && value)
      out.plan = argv[++i];
    else if (arg == "--diagram" && value)
      out.diagram = argv[++i];
    else if (arg == "--jobs" && value)
      out.jobs = static_cast<unsigned>(std::max(1, std::atoi(argv[++i])));
    else
      return false;
  }
  return out.diagram.empty() || out.count == 1;
}

unsigned long long wide(std::uint64_t n) {
  return n;
}

class Printer : public Journal {
 public:
  explicit Printer(bool messages) : messages_(messages) {}
  void say(Instant now, const std::string& text) override {
    std::printf("  %lldms %s\n", static_cast<long long>(now.us / 1000), text.c_str());
  }
  void arrived(Instant, Instant now, NodeId from, NodeId to, const Message& message) override {
    if (!messages_) return;
    say(now, "  n" + std::to_string(from.value + 1) + " -> n" + std::to_string(to.value + 1) + " " + describe(message));
  }

 private:
  bool messages_;
};

Plan plan_of(std::uint64_t seed, const Options& options) {
  auto plan = Plan::from(seed);
  std::string why;
  if (!change_plan(plan, options.plan, why)) {
    std::fprintf(stderr, "seed %llu: --plan: %s\n", wide(seed), why.c_str());
    std::exit(2);
  }
  plan.check_signatures = options.check_signatures;
  return plan;
}

/// What runs this very plan again.
std::string command(const Plan& plan) {
  auto changed = differences(plan, Plan::from(plan.seed));
  return "simulate " + std::to_string(plan.seed) + " 1" + (changed.empty() ? "" : " --plan '" + changed + "'");
}

bool draw(const Plan& plan, const Recorder& steps, const std::string& file) {
  std::ofstream out(file);
  out << (file.ends_with(".svg") ? steps.as_svg(plan.nodes) : steps.as_text(plan.nodes));
  out.close();
  if (out) return true;
  std::fprintf(stderr, "cannot write %s\n", file.c_str());
  return false;
}

int find_smaller(const Options& options) {
  auto plan = plan_of(options.first, options);
  if (run(plan).violation.empty()) {
    std::printf("nothing to shrink: %s\n  goes well\n", text_of(plan).c_str());
    return 2;
  }
  auto shrunk = shrink(plan, 4'000, [](const Plan& smaller) { std::printf("%s\n", command(smaller).c_str()); });
  Recorder steps(60);
  (void)run(shrunk.plan, &steps);
  std::printf(
      "\nthe last steps:\n%s  VIOLATION: %s\n\nthe smallest of %llu plans tried: %s\n  reproduce: %s --verbose\n",
      steps.account().c_str(), shrunk.violation.c_str(), wide(shrunk.tried), text_of(shrunk.plan).c_str(),
      command(shrunk.plan).c_str());
  if (!options.diagram.empty() && !draw(shrunk.plan, steps, options.diagram)) return 2;
  return 1;
}

/// What the runs came to, in the order of their seeds.
struct Totals {
  Seen seen;
  std::uint64_t done = 0, failed = 0;
  struct Mix {
    std::uint64_t runs = 0, violations = 0;
  };
  std::map<std::string, Mix> mixes;

  void add(const Plan& plan, const Outcome& outcome) {
    ++done;
    seen["steps"] += outcome.steps;
    seen["messages"] += outcome.messages;
    seen["final requests"] += outcome.final_requests;
    for (const auto& [what, n] : outcome.seen) {
      seen[what] = what.starts_with("most: ") ? std::max(seen[what], n) : seen[what] + n;
    }
    for (const auto& what : mix_of(plan)) {
      ++mixes[what].runs;
      mixes[what].violations += !outcome.violation.empty();
    }
    if (outcome.violation.empty()) return;
    ++failed;
    std::printf("VIOLATION in %s\n  %s\n  reproduce: %s --verbose\n", text_of(plan).c_str(), outcome.violation.c_str(),
                command(plan).c_str());
  }
};

/// Runs the seeds on several threads, and hands the outcomes over in the order of the seeds.
Totals run_all(const Options& options) {
  Totals totals;
  std::map<std::uint64_t, std::pair<Plan, Outcome>> finished;
  std::mutex lock;
  std::atomic<std::uint64_t> next{0};
  std::atomic<bool> enough{false};
  auto work = [&] {
    for (std::uint64_t i = next++; i < options.count && !enough; i = next++) {
      auto plan = plan_of(options.first + i, options);
      Printer printer(options.messages);
      if (options.verbose) std::printf("%s\n", text_of(plan).c_str());
      auto outcome = run(plan, options.verbose ? &printer : nullptr);
      std::lock_guard guard(lock);
      finished.emplace(i, std::pair{plan, std::move(outcome)});
      for (auto found = finished.find(totals.done); found != finished.end() && !enough;
           found = finished.find(totals.done)) {
        totals.add(found->second.first, found->second.second);
        finished.erase(found);
        enough = totals.failed >= (options.expect_violation ? 1 : 10);
      }
    }
  };
  std::vector<std::thread> others;
  for (unsigned i = 1; i < options.jobs; ++i) others.emplace_back(work);
  work();
  for (auto& thread : others) thread.join();
  return totals;
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
                 "usage: simulate FIRST_SEED COUNT | --shrink SEED  [--plan TEXT] [--jobs N] [--diagram FILE] "
                 "[--verbose|--messages] [--require-all] [--by-mix] [--no-signature-checks] [--expect-violation]\n");
    return 2;
  }
  if (options.verbose) options.jobs = 1;
  if (options.shrink) return find_smaller(options);
  if (!options.diagram.empty()) {
    auto plan = plan_of(options.first, options);
    Recorder steps(60);
    (void)run(plan, &steps);
    if (!draw(plan, steps, options.diagram)) return 2;
  }
  auto began = std::chrono::steady_clock::now();
  auto totals = run_all(options);
  double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  if (options.expect_violation) {
    std::printf("%s after %llu seeds, %.1f s\n", totals.failed ? "caught" : "NOT CAUGHT", wide(totals.done), seconds);
    return totals.failed ? 0 : 1;
  }
  for (const auto& [what, n] : totals.seen) std::printf("%12llu  %s\n", wide(n), what.c_str());
  if (options.by_mix) {
    std::printf("%12s  %12s\n", "runs", "violations");
    for (const auto& [what, mix] : totals.mixes) {
      std::printf("%12llu  %12llu  %s\n", wide(mix.runs), wide(mix.violations), what.c_str());
    }
  }
  auto per_second = [&](std::uint64_t n) { return static_cast<double>(n) / seconds; };
  std::printf("%llu seeds from %llu in %.1f s (%.0f runs/s, %.0f steps/s), %llu violations\n", wide(totals.done),
              wide(options.first), seconds, per_second(totals.done), per_second(totals.seen["steps"]),
              wide(totals.failed));
  auto lacking = options.require_all ? missing(totals.seen) : 0;
  return totals.failed == 0 && lacking == 0 ? 0 : 1;
}
