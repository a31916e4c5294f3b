// zell doctor: what could be in the way on this machine, and how to mend it.

#include <fmt/format.h>

#include <algorithm>

#include "cli/commands.h"
#include "cli/doctor.h"
#include "cli/exit_codes.h"
#include "cli/json.h"
#include "cli/presets.h"

namespace zell::cli {
namespace {

std::string_view word_for(Health health) {
  static constexpr std::string_view words[] = {"ok", "warn", "fail"};
  return words[static_cast<std::size_t>(health)];
}

void examine_configuration(const CommandLine& line, Findings& out) {
  auto presets = Presets::read(line.describe());
  const auto good =
      presets ? presets->check([&](std::string_view name) { return line.typed(name); }) : Status(presets.error());
  if (!good) return out.push_back({"configuration", Health::fail, good.error().what, good.error().hint});
  for (const auto& note : presets->notes) {
    out.push_back({"configuration", Health::warn, note, "make it yours, or move it away"});
  }
  for (const auto& note : presets->strangers) out.push_back({"configuration", Health::warn, note, "unset it"});
  const auto count = presets->all().size();
  out.push_back({"configuration", Health::ok, fmt::format("{} setting{}", count, count == 1 ? "" : "s"), ""});
}

Findings examine(const CommandLine& line, bool fix) {
  const auto environment = Environment::of_process();
  const auto known = list_clusters(environment);
  Findings out;
  examine_machine(out);
  examine_disk(environment, out);
  examine_ports(known, out);
  examine_folders(environment, out);
  examine_configuration(line, out);
  examine_sockets(environment, out);
  examine_stale(environment, known, fix, out);
  examine_clusters(known, out);
  return out;
}

void print_table(const Findings& findings) {
  Table table({{"CHECK"}, {""}, {"FINDING"}});
  for (const auto& [check, health, what, fix] : findings) {
    const auto color = health == Health::ok ? Ink::plain : health == Health::warn ? Ink::yellow : Ink::red;
    table.add({check, std::string(word_for(health)), fix.empty() ? what : fmt::format("{}. try: {}", what, fix)},
              color);
  }
  table.print();
}

int doctor(const Globals& globals, const CommandLine& line, bool fix) {
  const auto findings = examine(line, fix);
  const auto count = [&](Health health) {
    return std::count_if(findings.begin(), findings.end(), [&](const auto& one) { return one.health == health; });
  };
  const auto failed = count(Health::fail), warned = count(Health::warn);
  if (globals.json) {
    Json checks = Json::array();
    for (const auto& one : findings) {
      checks.push_back({{"check", one.check},
                        {"health", word_for(one.health)},
                        {"finding", one.what},
                        {"fix", one.fix.empty() ? Json() : Json(one.fix)}});
    }
    print_json({{"checks", checks}, {"ok", count(Health::ok)}, {"warn", warned}, {"fail", failed}});
  } else {
    print_table(findings);
    print(fmt::format("{} {} of {} checks failed, {} warn", failed == 0 ? check_mark() : cross_mark(), failed,
                      findings.size(), warned));
  }
  return failed == 0 ? done : negative;
}

}  // namespace

void add_doctor_command(Command root, const Globals& globals, const CommandLine& line) {
  auto fix = std::make_shared<bool>(false);
  root.add("doctor", "Look for what could be in the way on this machine: limits, disk, clock, ports, stale files")
      .configured(Configured::leniently)
      .flag("--fix", *fix, "Remove sockets that nobody listens on, and ephemeral clusters that were killed")
      .examples({"zell doctor", "zell doctor --fix", "zell doctor --json"})
      .run([&globals, &line, fix] { return doctor(globals, line, *fix); });
}

}  // namespace zell::cli
