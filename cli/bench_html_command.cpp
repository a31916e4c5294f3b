// zell bench html: results as a page.

#include <fmt/format.h>

#include "cli/bench_commands.h"
#include "cli/exit_codes.h"
#include "cli/json.h"
#include "cluster/cluster_file.h"
#include "cluster/load/documents.h"
#include "cluster/load/html_report.h"

namespace zell::cli {
namespace {

struct HtmlCommandOptions {
  std::vector<std::string> files;
  std::string out;
};

int html(const Globals& globals, const HtmlCommandOptions& options) {
  if (options.files.empty()) return fail({"usage", "which results?", "zell bench html result.json > page.html"});
  if (globals.json && options.out.empty()) {
    return fail({"usage", "a page is no JSON", "zell bench html --json --out page.html result.json"});
  }
  auto all = nlohmann::json::array();
  for (const auto& file : options.files) {
    auto documents = read_documents(file, "bench");
    if (!documents) return fail(documents.error());
    for (auto& document : *documents) all.push_back(std::move(document));
  }
  const auto page = html_report(all);
  if (options.out.empty()) {
    print(std::string_view(page).substr(0, page.size() - 1));
    return done;
  }
  if (auto written = write_file(options.out, page); !written) return fail(written.error());
  if (globals.json) {
    print_json({{"file", options.out}, {"runs", all.size()}, {"bytes", page.size()}});
  } else {
    print(fmt::format("{} {}, {} run{}", check_mark(), options.out, all.size(), all.size() == 1 ? "" : "s"));
  }
  return done;
}

}  // namespace

void add_bench_html_command(Command bench, const Globals& globals) {
  auto options = std::make_shared<HtmlCommandOptions>();
  auto command = bench.add("html", "Draw results as a page that needs nothing else, several over each other");
  command.positionals("FILE", options->files, "Results of zell bench --json")
      .option("--out", options->out, "FILE", "Write the page there; stdout if not given")
      .examples({"zell bench html result.json > page.html", "zell bench html before.json after.json --out page.html"})
      .run([&globals, options] { return html(globals, *options); });
}

}  // namespace zell::cli
