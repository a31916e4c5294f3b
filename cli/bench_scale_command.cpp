// zell bench scale: one load on clusters of several sizes, one after the other.

#include <fmt/format.h>

#include <charconv>

#include "cli/bench_command.h"
#include "cli/bench_commands.h"
#include "cli/exit_codes.h"
#include "cli/json.h"
#include "cluster/cluster_file.h"
#include "cluster/load/documents.h"
#include "cluster/load/scale.h"

namespace zell::cli {
namespace {

struct ScaleCommandOptions {
  std::string sizes = "4,7,10,16,31";
  std::optional<std::uint64_t> rate;
  std::uint64_t duration_ms = 5'000, warmup_ms = 2'000;
  std::string html, counted;
};

constexpr std::uint64_t default_rate = 20;

Result<std::vector<std::uint64_t>> parse_sizes(std::string_view text) {
  std::vector<std::uint64_t> out;
  for (auto rest = text;;) {
    const auto item = rest.substr(0, rest.find(','));
    std::uint64_t size = 0;
    const auto [end, problem] = std::from_chars(item.data(), item.data() + item.size(), size);
    if (problem != std::errc{} || end != item.data() + item.size() || size < 1 || size > max_cluster_nodes) {
      return Error{"bad-argument", fmt::format("--sizes {}: a size is 1 to {} nodes", text, max_cluster_nodes),
                   "zell bench scale --sizes 4,7,16"};
    }
    out.push_back(size);
    if (item.size() == rest.size()) return out;
    rest.remove_prefix(item.size() + 1);
  }
}

struct ScaleRuns {
  std::vector<nlohmann::json> runs;
  /// Why larger clusters were not tried; they may be no part of what was asked for.
  std::optional<Error> stopped;
};

/// Ends with the first size that is not carried: larger ones would only wait longer.
Result<ScaleRuns> run_all(const ScaleCommandOptions& options, const std::vector<std::uint64_t>& sizes) {
  ScaleRuns out;
  for (const auto size : sizes) {
    BenchOptions bench;
    bench.nodes = size;
    bench.rate = options.rate.value_or(default_rate);
    bench.duration_ms = options.duration_ms;
    bench.warmup_ms = options.warmup_ms;
    // Only clusters of its own, whatever runs and is chosen.
    auto result = measure_bench(Globals{}, bench);
    if (!result && (out.runs.empty() || result.error().code == "interrupted")) return result.error();
    if (!result) {
      out.stopped = result.error();
      break;
    }
    out.runs.emplace_back(json_of(*result));
    if (scale_rows(out.runs).back().carried) continue;
    out.stopped = Error{"not-carried",
                        fmt::format("{} nodes are more than this machine carries at {} requests/s", size, *bench.rate),
                        fmt::format("zell bench scale --rate {}", std::max<std::uint64_t>(*bench.rate / 2, 1))};
    break;
  }
  return out;
}

void print_rows(const std::vector<ScaleRow>& rows) {
  using Align = Table::Align;
  Table table({{"NODES", Align::right},
               {"REQUESTS/S", Align::right},
               {"P50", Align::right},
               {"P99", Align::right},
               {"CPU/OP/NODE", Align::right},
               {"OVER FIRST", Align::right},
               {"MEMORY", Align::right},
               {"WRITTEN/OP/NODE", Align::right},
               {""}});
  const auto or_dash = [](const std::optional<double>& value, const auto& text) {
    return value ? text(*value) : std::string("–");
  };
  for (const auto& row : rows) {
    table.add({std::to_string(row.nodes), fmt::format("{:.0f}", row.requests_per_s), or_dash(row.p50_us, short_time),
               or_dash(row.p99_us, short_time), or_dash(row.cpu_us, short_time),
               or_dash(row.cpu_over_first, [](double ratio) { return fmt::format("{:.2f} ×", ratio); }),
               or_dash(row.rss_bytes, [](double bytes) { return fmt::format("{:.0f} MiB", bytes / (1 << 20)); }),
               or_dash(row.disk_bytes, [](double bytes) { return fmt::format("{:.1f} kB", bytes / 1'000); }),
               row.carried ? "" : "not carried"},
              row.carried ? Ink::plain : Ink::yellow);
  }
  table.print();
}

/// Null if none is named. Before the load, so that a wrong name costs no minutes.
Result<nlohmann::json> read_counted(const ScaleCommandOptions& options) {
  if (options.counted.empty()) return nlohmann::json();
  if (options.html.empty()) return Error{"usage", "--counted is drawn on the page", "add --html FILE"};
  auto documents = read_documents(options.counted, "counted-work");
  if (!documents) return documents.error();
  return std::move(documents->front());
}

int scale(const Globals& globals, const ScaleCommandOptions& options) {
  auto sizes = parse_sizes(options.sizes);
  if (!sizes) return fail(sizes.error());
  auto counted = read_counted(options);
  if (!counted) return fail(counted.error());
  auto all = run_all(options, *sizes);
  if (!all) return fail(all.error());
  if (!options.html.empty()) {
    if (auto written = write_file(options.html, scale_page(all->runs, *counted)); !written)
      return fail(written.error());
  }
  const auto& stopped = all->stopped;
  if (globals.json) {
    auto document = scale_json(all->runs);
    document["stopped"] = stopped ? Json{{"code", stopped->code}, {"reason", stopped->what}} : Json();
    print_json(std::move(document));
  } else {
    print_rows(scale_rows(all->runs));
    if (stopped) talk(error_line(*stopped));
  }
  return stopped ? exit_code_of(*stopped) : done;
}

}  // namespace

void add_bench_scale_command(Command bench, const Globals& globals) {
  auto options = std::make_shared<ScaleCommandOptions>();
  auto command = bench.add("scale", "Put one load on clusters of several sizes: what a node's work costs as they grow");
  command.option("--sizes", options->sizes, "N,N", "Numbers of nodes; 4,7,10,16,31 if not given")
      .option("--rate", options->rate, "N", "Requests a second, on time; 20 if not given", 1, 1'000'000)
      .duration("--duration", options->duration_ms, "What is measured of each; 5s if not given")
      .duration("--warmup", options->warmup_ms, "Load before that; 2s if not given")
      .option("--html", options->html, "FILE", "Draw the figures as a page, too")
      .option("--counted", options->counted, "FILE",
              "And on it what ./dev perf --scale --json has counted up to 100 nodes")
      .examples({"zell bench scale --sizes 1,4 --rate 10 --duration 2s",
                 "zell bench scale --sizes 1,4 --duration 1s --html scale.html --json"})
      .run([&globals, options] { return scale(globals, *options); });
}

}  // namespace zell::cli
