// zell bench.

#include "cli/bench_commands.h"

namespace zell::cli {

void add_bench_command(Command root, const Globals& globals) {
  auto bench = root.add("bench", "Measure: what the machine can do at most, and whether a change is real");
  add_bench_limits_command(bench, globals);
  add_bench_compare_command(bench, globals);
  add_bench_html_command(bench, globals);
  bench.examples({"zell bench limits", "zell bench compare before.json after.json"});
}

}  // namespace zell::cli
