#pragma once
// The parts of `zell bench`, and what several of them print.

#include <string>
#include <string_view>
#include <vector>

#include "cli/commands.h"
#include "cluster/load/goals.h"

namespace zell::cli {

void add_bench_limits_command(Command bench, const Globals& globals);
void add_bench_compare_command(Command bench, const Globals& globals);
void add_bench_html_command(Command bench, const Globals& globals);
void add_bench_scale_command(Command bench, const Globals& globals);

/// Measures, with progress on stderr; Ctrl-C leaves nothing behind. `folder`: whose disk; empty: the state folder.
[[nodiscard]] Result<Limits> measure_limits_here(const std::filesystem::path& folder, std::uint64_t rounds);
void print_limits(const Limits& limits);
void print_goals(const std::vector<GoalFigure>& goals, const Binding& binding);

/// "73 ns", "41.2 µs", "1.5 ms", "2.0 s".
[[nodiscard]] std::string short_time(double us);
/// "812/s", "24.1 k/s", "8.1 MB", "1.4 G".
[[nodiscard]] std::string short_number(double number, std::string_view unit = {});

}  // namespace zell::cli
