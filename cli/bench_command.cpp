// zell bench.

#include "cli/bench_commands.h"

namespace zell::cli {

void add_bench_command(Command root, const Globals& globals) {
  auto bench = root.add("bench", "Measure: what the machine can do at most");
  add_bench_limits_command(bench, globals);
  bench.examples({"zell bench limits", "zell bench limits --with result.json"});
}

}  // namespace zell::cli
