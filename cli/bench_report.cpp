#include "cli/bench_report.h"

#include <fmt/format.h>

#include "cli/output.h"

namespace zell::cli {
namespace {

/// 12,345
std::string grouped(double number) {
  auto digits = fmt::format("{:.0f}", number);
  for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > 0; at -= 3) {
    digits.insert(static_cast<std::size_t>(at), ",");
  }
  return digits;
}
std::string grouped(std::uint64_t number) {
  return grouped(static_cast<double>(number));
}

std::string megabytes(double bytes) {
  return fmt::format("{:.1f} MB", bytes / 1e6);
}

std::string micros(std::uint64_t us) {
  return to_text(std::chrono::microseconds(us));
}

std::string load_text(const BenchConfig& config) {
  if (config.rate) return fmt::format("{} requests/s asked for", grouped(*config.rate));
  return fmt::format("saturating, {} requests under way", grouped(config.in_flight.value_or(0)));
}

/// "812 refused (busy 800, learner 12)"
std::string by_code(std::uint64_t count, std::string_view word,
                    const std::map<std::string, std::uint64_t, std::less<>>& codes) {
  std::string out;
  for (const auto& [code, requests] : codes) {
    out += fmt::format("{}{} {}", out.empty() ? "" : ", ", code, grouped(requests));
  }
  return fmt::format("{} {} ({})", grouped(count), word, out);
}

void print_requests(const LoadCounts& counts) {
  auto line = fmt::format("requests    {} offered  {} final", grouped(counts.offered), grouped(counts.finalised));
  if (counts.refused > 0) line += "  " + by_code(counts.refused, "refused", counts.refused_by);
  if (counts.failed > 0) line += "  " + by_code(counts.failed, "failed", counts.failed_by);
  if (counts.unknown > 0) line += fmt::format("  {} without an answer", grouped(counts.unknown));
  if (counts.retried > 0) line += fmt::format("  {} sent again", grouped(counts.retried));
  print(line + "  (warm-up too)");
}

void print_nodes(const BenchResult& result) {
  using Align = Table::Align;
  Table table({{"NODE"},
               {"CPU", Align::right},
               {"µs/REQUEST", Align::right},
               {"µs/OPERATION", Align::right},
               {"RSS", Align::right},
               {"FDS", Align::right},
               {"WRITTEN", Align::right},
               {"OVER PAYLOAD", Align::right}});
  for (const auto& node : result.nodes) {
    if (!node.used) {
      table.add({node.name, "–", "–", "–", "–", "–", "–", "–"}, Ink::dim);
      continue;
    }
    const auto& used = *node.used;
    table.add(
        {node.name, fmt::format("{:.2f} cores", std::chrono::duration<double>(used.cpu).count() / result.seconds()),
         fmt::format("{:.1f}", result.cpu_us_per_request(used)),
         fmt::format("{:.2f}", result.cpu_us_per_operation(used)), megabytes(static_cast<double>(used.rss_bytes_max)),
         std::to_string(used.fds_end), megabytes(static_cast<double>(used.written_bytes)),
         fmt::format("{:.2f}×", result.disk_over_payload(used))});
  }
  table.print();
}

void print_asserted(const std::vector<Asserted>& all) {
  for (const auto& one : all) {
    print(fmt::format("{} {}  {}", one.holds ? check_mark() : cross_mark(), one.expression, measured_text(one)));
  }
}

}  // namespace

std::string measured_text(const Asserted& one) {
  if (!one.value) return "not measured";
  return fmt::format("it is {:.6g}{}{}", *one.value, one.unit.empty() ? "" : " ", one.unit);
}

std::vector<std::string> bench_warnings(const BenchResult& result) {
  constexpr std::chrono::milliseconds late{50};
  constexpr double enough = 0.98, much_of_a_core = 0.5;
  std::vector<std::string> out;
  const auto& generator = result.generator;
  const auto& config = result.config;
  if (result.view_after != result.view_before) {
    out.push_back(fmt::format("the leader changed meanwhile: view {} → {}", result.view_before, result.view_after));
  }
  if (config.rate && result.requests_per_s() < enough * *config.rate) {
    out.push_back(fmt::format("the rate asked for was not reached: {} of {} requests/s",
                              grouped(result.requests_per_s()), grouped(*config.rate)));
  }
  if (config.rate && generator.behind_max > late) {
    out.push_back("requests were sent up to " +
                  to_text(std::chrono::duration_cast<std::chrono::microseconds>(generator.behind_max)) +
                  " after they were due; latency counts from when they were due");
  }
  if (!config.rate && result.generator_cores() > much_of_a_core) {
    out.push_back(fmt::format("the generator took {:.2f} of the {} cores from the nodes", result.generator_cores(),
                              result.machine.cores));
  }
  if (config.sign_ahead && generator.signed_while_sending > 0) {
    out.push_back(fmt::format("{} requests were signed while sending: {} signed ahead were not enough",
                              grouped(generator.signed_while_sending), grouped(generator.signed_ahead)));
  }
  for (const auto& node : result.nodes) {
    if (!node.used) out.push_back(node.name + " was not up all the time");
  }
  return out;
}

void print_bench(const BenchResult& result) {
  const auto& latency = result.counts.latency;
  const auto& config = result.config;
  print(fmt::format("throughput  {} requests/s  {} operations/s  {}/s of payload",
                    ink(Ink::bold, grouped(result.requests_per_s())),
                    ink(Ink::bold, grouped(result.operations_per_s())), megabytes(result.payload_bytes_per_s())));
  print(fmt::format("latency     p50 {}  p90 {}  p99 {}  p99.9 {}  max {}", micros(latency.percentile(50)),
                    micros(latency.percentile(90)), micros(latency.percentile(99)), micros(latency.percentile(99.9)),
                    micros(latency.max())));
  print(fmt::format("load        {}; {} × {} B a request; {:g} s, {} nodes, {} cores", load_text(config), config.bundle,
                    config.payload_bytes, result.seconds(), config.nodes, result.machine.cores));
  print_requests(result.counts);
  print(fmt::format("generator   {:.2f} cores, {} POSTs, at worst {} late", result.generator_cores(),
                    grouped(result.generator.posts),
                    to_text(std::chrono::duration_cast<std::chrono::microseconds>(result.generator.behind_max))));
  print_nodes(result);
  if (result.asserted) print_asserted(*result.asserted);
  for (const auto& warning : result.warnings) talk(ink_err(Ink::yellow, "warning:") + " " + warning);
}

}  // namespace zell::cli
