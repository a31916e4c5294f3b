// zell bench limits: what the machine can do, and how near to it a result is.

#include <fmt/format.h>

#include <cmath>

#include "cli/bench_commands.h"
#include "cli/exit_codes.h"
#include "cli/interruption.h"
#include "cli/json.h"
#include "cluster/load/documents.h"
#include "cluster/paths.h"

namespace zell::cli {
namespace {

constexpr std::uint64_t default_rounds = 5;

std::string short_value(const Limit& limit, double value) {
  if (limit.unit == "us") return short_time(value);
  if (limit.unit == "bytes/s") return short_number(value, "B/s");
  return short_number(value, "/s");
}

std::string value_text(const GoalFigure& goal) {
  if (!goal.value) return "–";
  if (goal.unit == "us") return short_time(*goal.value);
  if (goal.unit == "bytes") return fmt::format("{:.0f} MiB", *goal.value / (1 << 20));
  if (goal.unit == "x") return fmt::format("{:.2f}", *goal.value);
  return fmt::format("{:.0f}", *goal.value);
}

std::string target_text(const GoalFigure& goal) {
  if (goal.target.empty()) return "–";
  const auto number = goal.target.find_first_of("0123456789");
  if (goal.unit != "us" || number == std::string::npos) return goal.target;
  return goal.target.substr(0, number) + short_time(std::stod(goal.target.substr(number)));
}

struct LimitsCommandOptions {
  std::optional<std::uint64_t> rounds;
  std::string disk, from;
  std::vector<std::string> with;
};

/// A result, and where it is from.
struct Named {
  std::string name;
  nlohmann::json document;
};

Result<std::vector<Named>> read_results(const std::vector<std::string>& files) {
  std::vector<Named> out;
  for (const auto& file : files) {
    auto documents = read_documents(file, "bench");
    if (!documents) return documents.error();
    for (std::size_t i = 0; i < documents->size(); ++i) {
      const auto name = documents->size() == 1 ? file : fmt::format("{} ({})", file, i + 1);
      out.push_back({name, std::move((*documents)[i])});
    }
  }
  return out;
}

/// The fastest saturating run of the same cluster and load as `result`, among all.
const nlohmann::json* saturated_like(const nlohmann::json& result, const std::vector<Named>& all) {
  const nlohmann::json* best = nullptr;
  for (const auto& other : all) {
    const auto same = [&](const char* pointer) {
      return number_at(other.document, pointer) == number_at(result, pointer);
    };
    if (number_at(other.document, "/config/rate") || !same("/config/nodes") || !same("/config/bundle") ||
        !same("/config/size")) {
      continue;
    }
    constexpr auto rate = "/throughput/requests_per_s";
    if (best == nullptr || number_at(other.document, rate) > number_at(*best, rate)) best = &other.document;
  }
  return best;
}

Result<Limits> limits_of(const LimitsCommandOptions& options) {
  if (options.from.empty()) return measure_limits_here(options.disk, options.rounds.value_or(default_rounds));
  auto documents = read_documents(options.from, "limits");
  if (!documents) return documents.error();
  return parse_limits(documents->back());
}

int limits(const Globals& globals, const LimitsCommandOptions& options) {
  // Before ten seconds are spent.
  auto results = read_results(options.with);
  if (!results) return fail(results.error());
  auto limits = limits_of(options);
  if (!limits) return fail(limits.error());
  Json beside = Json::array();
  if (!globals.json) print_limits(*limits);
  for (const auto& result : *results) {
    const auto goals = goals_of(result.document, *limits, saturated_like(result.document, *results));
    const auto binding = binding_of(result.document, *limits);
    if (globals.json) {
      beside.push_back({{"result", result.name}, {"goals", goals_json(goals, binding)}});
    } else {
      print("");
      print(ink(Ink::bold, result.name));
      print_goals(goals, binding);
    }
  }
  if (globals.json) {
    auto document = to_json(*limits);
    if (!results->empty()) document["results"] = std::move(beside);
    print_json(std::move(document));
  }
  return done;
}

}  // namespace

std::string short_time(double us) {
  if (us < 1) return fmt::format("{:.0f} ns", us * 1e3);
  if (us < 1e3) return fmt::format("{:.{}f} µs", us, us < 99.95 ? 1 : 0);
  if (us < 1e6) return fmt::format("{:.{}f} ms", us / 1e3, us < 99'950 ? 1 : 0);
  return fmt::format("{:.1f} s", us / 1e6);
}

std::string short_number(double number, std::string_view unit) {
  struct Step {
    double from, one;
    char letter;
  };
  for (const auto& [from, one, letter] : {Step{1e9, 1e9, 'G'}, Step{1e6, 1e6, 'M'}, Step{1e4, 1e3, 'k'}}) {
    if (number >= from) {
      return fmt::format("{:.{}f} {}{}", number / one, number / one < 99.95 ? 1 : 0, letter, unit);
    }
  }
  return fmt::format("{:.0f}{}{}", number, unit.empty() || unit.starts_with('/') ? "" : " ", unit);
}

Result<Limits> measure_limits_here(const std::filesystem::path& folder, std::uint64_t rounds) {
  LimitsOptions options;
  options.rounds = rounds;
  options.folder = folder;
  if (folder.empty()) {
    options.folder = Environment::of_process().state_home / "zell";
    // Not a private folder: nothing that is written for measuring is worth anything.
    std::error_code error;
    std::filesystem::create_directories(options.folder, error);
    if (error) return Error{"io", "cannot make " + options.folder.string() + ": " + error.message(), ""};
  }
  take_signals();
  Progress progress("measuring the machine: step", 0);
  options.progress = [&](std::size_t done, std::size_t) {
    progress.update(done);
    return !is_interrupted();
  };
  return measure_limits(options);
}

void print_limits(const Limits& limits) {
  using Align = Table::Align;
  print(fmt::format("{}, {} core{}, {}", limits.machine.cpu, limits.machine.cores, limits.machine.cores == 1 ? "" : "s",
                    limits.machine.kernel));
  Table table({{"WORK"},
               {"MEDIAN", Align::right},
               {"MIN", Align::right},
               {"MAX", Align::right},
               {"A SECOND", Align::right},
               {"BYTES/S", Align::right}});
  for (const auto& limit : limits.measured) {
    const auto bytes = static_cast<double>(limit.bytes) * limit.per_s;
    const bool time = limit.unit == "us";
    table.add({limit.name, short_value(limit, limit.value), short_value(limit, limit.min),
               short_value(limit, limit.max), time ? short_number(limit.per_s) : "–",
               time && limit.bytes > 0 ? short_number(bytes, "B") : "–"});
  }
  table.print();
  constexpr double nodes = 4;
  const auto ceiling = signature_ceiling(limits, nodes);
  const auto floor = lone_floor_us(limits);
  if (ceiling && floor) {
    print(fmt::format("so {:g} nodes here check at most {:.0f} signed requests/s; a lone request takes {} at least",
                      nodes, *ceiling, short_time(*floor)));
  }
}

void print_goals(const std::vector<GoalFigure>& goals, const Binding& binding) {
  using Align = Table::Align;
  Table table({{""}, {"FIGURE"}, {"IS", Align::right}, {"GOAL"}, {"HOW"}});
  for (const auto& goal : goals) {
    const auto mark = !goal.met ? " " : *goal.met ? "✓" : "✗";
    const auto color = !goal.met ? Ink::plain : *goal.met ? Ink::green : Ink::red;
    table.add({mark, goal.name, value_text(goal), target_text(goal), goal.how}, color);
  }
  table.print();
  const auto percent = [](std::optional<double> share) {
    return share ? fmt::format("{:.0f} %", *share * 100) : std::string("unknown");
  };
  const auto what = binding.resource == "latency"   ? "neither CPU nor disk binds: it waits for messages and syncs"
                    : binding.resource == "unknown" ? "what binds is unknown"
                                                    : binding.resource + " binds";
  print(fmt::format("{}  (CPU of nodes and generator {}, writes over what the disk appends {})", what,
                    percent(binding.cpu_share), percent(binding.disk_share)));
}

void add_bench_limits_command(Command bench, const Globals& globals) {
  auto options = std::make_shared<LimitsCommandOptions>();
  auto command = bench.add("limits", "Measure what this machine can do, alone: signatures, hashes, disk, loopback");
  command
      .option("--rounds", options->rounds, "N", "Measure all of it so often, in turn; 5 if not given, 2 s each", 1,
              1'000)
      .option("--disk", options->disk, "FOLDER", "The disk under this folder; the state folder's if not given")
      .option("--from", options->from, "FILE", "Measure nothing: take the limits that an earlier --json printed")
      .list("--with", options->with, "FILE", "Results of zell bench --json: how near they are to the goals")
      .examples({"zell bench limits", "zell bench limits --rounds 1 --json", "zell bench limits --with result.json"})
      .run([&globals, options] { return limits(globals, *options); });
}

}  // namespace zell::cli
