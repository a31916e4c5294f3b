// zell bench compare: whether a change is real.

#include <fmt/format.h>

#include "cli/bench_commands.h"
#include "cli/exit_codes.h"
#include "cli/json.h"
#include "cluster/load/compare.h"
#include "cluster/load/documents.h"

namespace zell::cli {
namespace {

struct CompareCommandOptions {
  std::vector<std::string> files, base, fresh;
  std::optional<std::uint64_t> within_percent, confidence_percent;
  bool fail_if_worse = false, force = false;
};

/// The two sides' files.
Status choose_sides(CompareCommandOptions& options) {
  if (options.files.size() == 2 && options.base.empty() && options.fresh.empty()) {
    options.base = {options.files[0]};
    options.fresh = {options.files[1]};
    return Ok{};
  }
  if (options.files.empty() && !options.base.empty() && !options.fresh.empty()) return Ok{};
  return Error{"usage", "compare takes two files, or --base and --new", "zell bench compare before.json after.json"};
}

Result<std::vector<nlohmann::json>> read_side(const std::vector<std::string>& files) {
  std::vector<nlohmann::json> out;
  for (const auto& file : files) {
    auto documents = read_documents(file, "bench");
    if (!documents) return documents.error();
    out.insert(out.end(), documents->begin(), documents->end());
  }
  return out;
}

std::string figure_text(const ComparedFigure& figure, double value) {
  return figure.unit == "us" ? short_time(value) : fmt::format("{:.0f}", value);
}

void print_text(const Comparison& comparison, std::size_t base_runs, std::size_t new_runs) {
  using Align = Table::Align;
  Table table(
      {{"FIGURE"}, {"BASE", Align::right}, {"NEW", Align::right}, {"RATIO", Align::right}, {"INTERVAL"}, {"VERDICT"}});
  for (const auto& figure : comparison.figures) {
    const auto& estimate = figure.estimate;
    const auto interval = estimate.interval ? fmt::format("{:.3f}–{:.3f} at {:.1f} %", estimate.interval->first,
                                                          estimate.interval->second, estimate.confidence * 100)
                                            : "too few runs";
    const auto color = figure.verdict == Verdict::slower   ? Ink::red
                       : figure.verdict == Verdict::faster ? Ink::green
                                                           : Ink::plain;
    table.add({figure.name, figure_text(figure, figure.base_median), figure_text(figure, figure.new_median),
               fmt::format("{:.3f}", estimate.ratio), interval, std::string(to_string(figure.verdict))},
              color);
  }
  table.print();
  print(fmt::format("{}: {} run{} against {}", to_string(comparison.verdict), new_runs, new_runs == 1 ? "" : "s",
                    base_runs));
}

void print_document(const Comparison& comparison, const CompareOptions& options, std::size_t base_runs,
                    std::size_t new_runs) {
  Json figures = Json::array();
  for (const auto& figure : comparison.figures) {
    const auto& interval = figure.estimate.interval;
    figures.push_back({{"name", figure.name},
                       {"unit", figure.unit},
                       {"better", figure.higher_is_better ? "higher" : "lower"},
                       {"base_median", figure.base_median},
                       {"new_median", figure.new_median},
                       {"ratio", figure.estimate.ratio},
                       {"low", interval ? Json(interval->first) : Json()},
                       {"high", interval ? Json(interval->second) : Json()},
                       {"confidence", interval ? Json(figure.estimate.confidence) : Json()},
                       {"verdict", to_string(figure.verdict)}});
  }
  print_json({{"kind", "compare"},
              {"base_runs", base_runs},
              {"new_runs", new_runs},
              {"confidence", options.confidence},
              {"within", options.within},
              {"verdict", to_string(comparison.verdict)},
              {"figures", figures},
              {"left_out", comparison.left_out},
              {"different_config", comparison.different_config},
              {"different_machine", comparison.different_machine}});
}

void warn(const Comparison& comparison) {
  for (const auto& [what, list] : {std::pair{"the configurations differ", &comparison.different_config},
                                   std::pair{"the machines differ", &comparison.different_machine},
                                   std::pair{"not in all the runs", &comparison.left_out}}) {
    std::string text;
    for (const auto& item : *list) text += (text.empty() ? "" : "; ") + item;
    if (!text.empty()) talk(ink_err(Ink::yellow, fmt::format("{}: {}", what, text)));
  }
}

int compare(const Globals& globals, CompareCommandOptions options) {
  if (auto chosen = choose_sides(options); !chosen) return fail(chosen.error());
  auto base = read_side(options.base);
  if (!base) return fail(base.error());
  auto fresh = read_side(options.fresh);
  if (!fresh) return fail(fresh.error());
  CompareOptions how;
  how.force = options.force;
  if (options.within_percent) how.within = static_cast<double>(*options.within_percent) / 100;
  if (options.confidence_percent) how.confidence = static_cast<double>(*options.confidence_percent) / 100;
  auto comparison = compare_results(*base, *fresh, how);
  if (!comparison) return fail(comparison.error());
  if (globals.json) {
    print_document(*comparison, how, base->size(), fresh->size());
  } else {
    print_text(*comparison, base->size(), fresh->size());
    warn(*comparison);
  }
  if (comparison->verdict == Verdict::inconclusive) {
    hint("to tell more", "run both several times, in turn; 95 % takes 4 runs a side at least");
    return inconclusive;
  }
  return comparison->verdict == Verdict::slower && options.fail_if_worse ? negative : done;
}

}  // namespace

void add_bench_compare_command(Command bench, const Globals& globals) {
  auto options = std::make_shared<CompareCommandOptions>();
  auto command = bench.add("compare", "Tell whether one of two sides of results is faster, or whether it is noise");
  command.positionals("FILE", options->files, "Two results of zell bench --json: before and after")
      .list("--base", options->base, "FILE", "Results of one side, several runs")
      .list("--new", options->fresh, "FILE", "Results of the other side")
      .option("--within", options->within_percent, "PERCENT", "So near is the same; 2 if not given", 0, 100)
      .option("--confidence", options->confidence_percent, "PERCENT", "Of each figure's interval; 95 if not given", 50,
              99)
      .flag("--fail-if-worse", options->fail_if_worse, "Exit with 1 if any figure is slower")
      .flag("--force", options->force, "Compare runs of different configurations, too")
      .examples({"zell bench compare before.json after.json",
                 "zell bench compare --base a1.json,a2.json --new b1.json,b2.json --fail-if-worse"})
      .run([&globals, options] { return compare(globals, *options); });
}

}  // namespace zell::cli
