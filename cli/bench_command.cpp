#include "cli/bench_command.h"

#include <fmt/format.h>

#include <fstream>

#include "cli/bench_cluster.h"
#include "cli/bench_commands.h"
#include "cli/bench_report.h"
#include "cli/exit_codes.h"
#include "cli/interruption.h"
#include "cli/json.h"
#include "cluster/load/expectations.h"
#include "cluster/load/html_report.h"
#include "cluster/load/sender.h"

namespace zell::cli {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds view_timeout{5'000};
constexpr std::size_t default_clients = 64, default_payload_bytes = 128;
/// Enough to keep every node busy; more only wait longer. See cluster/load/RESULTS.md.
constexpr std::size_t default_in_flight = 4'096, default_in_flight_bytes = 16 << 20, least_in_flight = 64;
/// Of one sender; the log remembers 1,024 nonces, and requests may overtake each other.
constexpr std::size_t most_in_flight_of_a_client = 512;
constexpr std::uint64_t most_signed_ahead = 2'000'000;

// ---- The load

struct Load {
  LoadShape shape;
  LoadPlan plan;
};

Result<Load> plan_load(const BenchOptions& options, const BenchCluster& where) {
  Load out;
  auto& [shape, plan] = out;
  shape.clients = options.clients.value_or(default_clients);
  shape.streams = std::min(where.asked.size(), shape.clients);
  if (!options.clients) shape.clients = std::max(shape.clients, shape.streams);
  shape.bundle = options.bundle.value_or(1);
  shape.payload_bytes = options.size.value_or(default_payload_bytes);
  shape.run = static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch())
          .count());
  for (std::size_t k = 0; k < shape.streams; ++k) plan.urls.push_back(where.view.nodes[where.asked[k]].node.api_url());
  if (options.rate) plan.rate = static_cast<double>(*options.rate);
  plan.warmup = milliseconds(options.warmup_ms);
  plan.duration = milliseconds(options.duration_ms);
  plan.timeout = milliseconds(options.timeout_ms);
  for (const auto state : {RequestState::sequenced, RequestState::locked, RequestState::finalised}) {
    if (to_string(state) == options.wait) plan.wait = state;
  }
  plan.retry = options.retry;
  return out;
}

/// More than the cluster can take: two cores' worth of nothing but checking, and half as much again.
std::uint64_t most_in(const Load& load, std::size_t nodes) {
  constexpr double verify_us = 40, payload_us = 0.7, slack = 1.5, fastest_answer_s = 0.001;
  const auto seconds = std::chrono::duration<double>(load.plan.warmup + load.plan.duration).count();
  const double us = verify_us + payload_us * static_cast<double>(load.shape.bundle);
  const double by_cpu = slack * Machine::here().cores * 1e6 / (static_cast<double>(nodes) * us);
  const double by_waiting = static_cast<double>(load.plan.in_flight) / fastest_answer_s;
  return static_cast<std::uint64_t>(seconds * std::min(by_cpu, by_waiting)) + load.plan.in_flight;
}

std::size_t count_to_sign(const Load& load, std::size_t nodes) {
  const auto total =
      load.plan.rate ? Schedule(*load.plan.rate, load.plan.warmup + load.plan.duration).total() : most_in(load, nodes);
  const auto streams = load.shape.streams;
  return static_cast<std::size_t>((std::min(total, most_signed_ahead) + streams - 1) / streams);
}

Status check_options(const BenchOptions& options, const LoadShape& shape, const LoadPlan& plan,
                     const SignedStreams& streams, const Genesis& genesis) {
  if (options.rate && options.in_flight) {
    return Error{"usage", "--rate sends on time whatever is under way; --in-flight is for saturating", "leave one out"};
  }
  if (streams.request_bytes() > genesis.parameters.request_max_bytes) {
    return Error{"usage",
                 fmt::format("a request of {} × {} B has {} bytes, and the cluster takes at most {}", shape.bundle,
                             shape.payload_bytes, streams.request_bytes(), genesis.parameters.request_max_bytes),
                 "a smaller --bundle or --size"};
  }
  if (!plan.rate && plan.in_flight > shape.clients * most_in_flight_of_a_client) {
    return Error{
        "usage",
        fmt::format("{} requests under way are too many for {} clients: of each, the log remembers 1,024 nonces",
                    plan.in_flight, shape.clients),
        fmt::format("--clients {}", plan.in_flight / most_in_flight_of_a_client + 1)};
  }
  return Ok{};
}

std::size_t in_flight_of(const BenchOptions& options, std::size_t request_bytes) {
  if (options.in_flight) return *options.in_flight;
  return std::clamp(default_in_flight_bytes / request_bytes, least_in_flight, default_in_flight);
}

class Run {
 public:
  Run(const BenchOptions& options, BenchCluster& where, Load load)
      : options_(options),
        where_(where),
        load_(std::move(load)),
        streams_(SigningDomain::of(where.view.genesis), load_.shape),
        recorder_(load_.plan.warmup, load_.plan.duration) {
    load_.plan.in_flight = in_flight_of(options, streams_.request_bytes());
    for (const auto& node : where.view.nodes) meters_.emplace_back(node.process.pid);
  }

  Result<BenchResult> run() {
    if (auto good = check_options(options_, load_.shape, load_.plan, streams_, where_.view.genesis); !good) {
      return good.error();
    }
    BenchResult out;
    out.version = ZELL_VERSION;
    out.machine = Machine::here();
    fill_config(out.config);
    out.view_before = where_.view.view();
    if (options_.sign == "ahead") sign_ahead(out.generator);
    if (is_interrupted()) return interruption();
    out.started_unix_ms =
        std::chrono::duration_cast<milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
    const auto summary = send();
    if (summary.interrupted) return interruption();
    auto after = view_cluster(where_.cluster, view_timeout);
    if (!after) return after.error();
    out.view_after = after->view();
    fill_figures(out, summary);
    return out;
  }

 private:
  void sign_ahead(GeneratorFigures& figures) {
    const auto count = count_to_sign(load_, where_.view.nodes.size());
    const auto begin = Clock::now();
    Progress progress("signed ahead", count * load_.shape.streams);
    streams_.sign_ahead(count, [&](std::uint64_t done) {
      progress.update(done);
      return !is_interrupted();
    });
    figures.signing = Clock::now() - begin;
    figures.signed_ahead = count * load_.shape.streams;
  }

  LoadSummary send() {
    const auto whole = load_.plan.warmup + load_.plan.duration;
    Progress progress("load, second", static_cast<std::uint64_t>(whole.count() / 1'000));
    std::uint64_t before = 0;
    Clock::time_point since = Clock::now();
    std::string note;
    LoadHooks hooks;
    hooks.window_begins = [this] {
      own_cpu_begin_ = own_cpu();
      for (auto& meter : meters_) meter.begin();
    };
    hooks.every_second = [this] {
      for (auto& meter : meters_) meter.sample();
    };
    hooks.window_ends = [this] {
      own_cpu_end_ = own_cpu();
      for (auto& meter : meters_) meter.end();
    };
    hooks.go_on = [&](const LoadProgress& now) {
      const auto took = std::chrono::duration<double>(Clock::now() - since).count();
      if (took >= 0.5) {
        note = fmt::format("{:.0f} requests/s", static_cast<double>(now.counts.finalised - before) / took);
        before = now.counts.finalised;
        since = Clock::now();
      }
      const auto done = std::min(std::chrono::duration_cast<milliseconds>(now.elapsed), milliseconds(whole));
      progress.update(static_cast<std::uint64_t>(done.count() / 1'000), note);
      return !is_interrupted();
    };
    return Sender(load_.plan, streams_, recorder_, std::move(hooks)).run();
  }

  void fill_config(BenchConfig& config) const {
    config.nodes = where_.view.nodes.size();
    for (std::size_t k = 0; k < load_.shape.streams; ++k) {
      config.asked.push_back(where_.view.nodes[where_.asked[k]].node.name);
    }
    config.rate = load_.plan.rate;
    if (!config.rate) config.in_flight = load_.plan.in_flight;
    config.duration = load_.plan.duration;
    config.warmup = load_.plan.warmup;
    config.clients = load_.shape.clients;
    config.payload_bytes = load_.shape.payload_bytes;
    config.bundle = load_.shape.bundle;
    config.sign_ahead = options_.sign == "ahead";
    config.wait = options_.wait;
    config.ephemeral = where_.own.has_value();
  }

  void fill_figures(BenchResult& out, const LoadSummary& summary) {
    out.counts = recorder_.counts();
    for (std::size_t k = 0; k < meters_.size(); ++k) {
      out.nodes.push_back({where_.view.nodes[k].node.name, meters_[k].used()});
    }
    out.generator.cpu = own_cpu_end_ - own_cpu_begin_;
    out.generator.behind_max = summary.behind_max;
    out.generator.signed_while_sending = summary.signed_while_sending;
    out.generator.posts = summary.posts;
    out.warnings = bench_warnings(out);
    if (is_in_memory(where_.cluster.paths.root)) {
      out.warnings.push_back("the nodes' data is in memory (" + where_.cluster.paths.root.string() +
                             "): nothing is durable, and writing costs nothing");
    }
    if (!summary.first_error.empty()) out.warnings.push_back("not all went well; first: " + summary.first_error);
  }

  const BenchOptions& options_;
  BenchCluster& where_;
  Load load_;
  SignedStreams streams_;
  Recorder recorder_;
  std::vector<ProcessMeter> meters_;
  std::chrono::nanoseconds own_cpu_begin_{}, own_cpu_end_{};
};

// ---- The result

Status write_text(const std::string& file, const std::string& text) {
  if (file == "-") {
    print_part(text);
    return Ok{};
  }
  std::ofstream out(file, std::ios::binary | std::ios::trunc);
  out << text;
  out.close();
  if (out) return Ok{};
  return Error{"io", "cannot write " + file, ""};
}

int report(const BenchOptions& options, const BenchResult& result) {
  if (!options.csv.empty()) {
    if (auto written = write_text(options.csv, csv_of(result)); !written) return fail(written.error());
  }
  if (!options.hdr.empty()) {
    if (auto written = write_text(options.hdr, percentile_text(result.counts.latency)); !written) {
      return fail(written.error());
    }
  }
  if (!options.html.empty()) {
    if (auto written = write_text(options.html, html_report(json_of(result))); !written) return fail(written.error());
  }
  const bool in_text = !output_mode().json && options.csv != "-";
  if (output_mode().json) {
    print_json(json_of(result));
  } else if (in_text) {
    print_bench(result);
    if (auto limits = parse_limits(result.limits)) {
      const nlohmann::json document = json_of(result);
      print_goals(goals_of(document, *limits), binding_of(document, *limits));
    }
  }
  bool held = true;
  for (const auto& one : result.asserted.value_or(std::vector<Asserted>())) {
    held = held && one.holds;
    if (!one.holds && !in_text) talk(fmt::format("does not hold: {}, {}", one.expression, measured_text(one)));
  }
  return held ? done : negative;
}

/// After the load, on the same disk.
Status add_limits(BenchResult& result, const std::filesystem::path& folder) {
  constexpr std::uint64_t rounds = 3;
  auto limits = measure_limits_here(folder, rounds);
  if (!limits) return limits.error();
  const nlohmann::json document = json_of(result);
  result.limits = to_json(*limits);
  result.goals = goals_json(goals_of(document, *limits), binding_of(document, *limits));
  return Ok{};
}

}  // namespace

Result<BenchResult> measure_bench(const Globals& globals, const BenchOptions& options) {
  take_signals();
  auto where = find_bench_cluster(globals, options);
  if (!where) return where.error();
  auto asked = choose_asked(where->view, options.to);
  if (!asked) return asked.error();
  where->asked = std::move(*asked);
  auto load = plan_load(options, *where);
  if (!load) return load.error();
  auto result = Run(options, *where, std::move(*load)).run();
  if (auto stopped = where->stop(); !stopped && result) return stopped.error();
  if (result && options.limits) {
    auto added = add_limits(*result, where->cluster.paths.root.parent_path());
    if (!added) return added.error();
  }
  return result;
}

int bench(const Globals& globals, const BenchOptions& options) {
  std::vector<Expectation> expectations;
  if (options.expectations) {
    auto parsed = parse_expectations(*options.expectations);
    if (!parsed) return fail(parsed.error());
    expectations = std::move(*parsed);
  }
  if (options.csv == "-" && globals.json) return fail({"usage", "--csv - and --json both want stdout", "--csv FILE"});
  auto result = measure_bench(globals, options);
  if (!result) return fail(result.error());
  if (options.expectations) {
    result->asserted.emplace();
    for (const auto& one : expectations) result->asserted->push_back(check(one, *result));
  }
  return report(options, *result);
}

void add_bench_command(Command root, const Globals& globals) {
  auto options = std::make_shared<BenchOptions>();
  auto command = root.add("bench", "Put load on a cluster, and say what it took and how long it made users wait");
  add_bench_limits_command(command, globals);
  add_bench_compare_command(command, globals);
  add_bench_html_command(command, globals);
  add_bench_scale_command(command, globals);
  command
      .option("-n,--nodes", options->nodes, "N", "Of a cluster for this bench alone; else the running one, or 4", 1,
              max_cluster_nodes)
      .option("--rate", options->rate, "N", "Requests a second, sent on time; as many as go through if not given", 1,
              1'000'000)
      .option("--in-flight", options->in_flight, "N", "Without --rate: requests under way at any moment", 1, 1 << 20)
      .duration("--duration", options->duration_ms, "What is measured; 10s if not given")
      .duration("--warmup", options->warmup_ms, "Load before that; 2s if not given")
      .duration("--timeout", options->timeout_ms, "How long a request may take; 30s if not given")
      .option("--clients", options->clients, "N", "Senders with a key each; 64 if not given", 1, 65'536)
      .option("--size", options->size, "BYTES", "Of a payload; 128 if not given", 1, 1 << 20)
      .option("--bundle", options->bundle, "K", "Payloads a request; 1 if not given", 1, max_payloads)
      .choice("--sign", options->sign, {"ahead", "inline"}, "Sign before the load, or while sending")
      .choice("--wait", options->wait, {"sequenced", "locked", "finalised"}, "Until when a request takes")
      .option("--to", options->to, "NODES", "Who is sent requests: leader, followers, n2, ...; all if not given")
      .flag("--retry", options->retry, "With --rate: send again what nodes are too busy for")
      .option("--csv", options->csv, "FILE", "A line for each second; - is stdout")
      .option("--hdr", options->hdr, "FILE", "Latency percentiles, as HdrHistogram's plotter reads them")
      .option("--html", options->html, "FILE", "The result as a page that needs nothing else")
      .flag("--limits", options->limits, "Measure what the machine can do, too, and how near this came to it; 6 s")
      .option("--assert", options->expectations, "WHAT", "Exit 1 unless it holds, e.g. p99<50ms,rate>9000")
      .examples({"zell bench --duration 2s", "zell bench -n 4 --rate 500 --duration 3s --assert 'p99<5s,failed=0'",
                 "zell bench --bundle 100 --duration 2s --json"})
      .preset_not_with("--nodes", {"--cluster", "--dir"})
      .preset_not_with("--in-flight", {"--rate"})
      .preset_not_with("--rate", {"--in-flight"})
      .run([&globals, options] { return bench(globals, *options); });
}

}  // namespace zell::cli
