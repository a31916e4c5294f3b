#include "cluster/load/html_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <vector>

#include "cluster/load/documents.h"
#include "cluster/load/html_parts.h"
#include "cluster/load/result_plots.h"

namespace zell {
namespace {

using Json = nlohmann::json;
using Results = std::vector<NamedResult>;

std::string plain(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

/// A value as a person reads it: an object as "busy 12, too-old 3", a list as "n1, n2".
std::string dump(const Json& value) {
  if (value.is_null() || (value.is_structured() && value.empty())) return "–";
  if (!value.is_structured()) return plain(value);
  std::string out;
  for (const auto& [key, item] : value.items()) {
    out += fmt::format("{}{}{}", out.empty() ? "" : ", ", value.is_object() ? key + " " : "", plain(item));
  }
  return out;
}

const Json* part_of(const Json& document, const char* key) {
  const auto found = document.find(key);
  return found == document.end() ? nullptr : &*found;
}

std::string time_text(const Json& document) {
  const auto ms = number_at(document, "/started_unix_ms");
  if (!ms || !(*ms >= 0 && *ms < 1e14)) return {};
  const auto seconds = static_cast<std::time_t>(*ms / 1e3);
  std::tm parts{};
  if (::gmtime_r(&seconds, &parts) == nullptr) return {};
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02} UTC", parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday,
                     parts.tm_hour, parts.tm_min, parts.tm_sec);
}

std::string two_digits(double value) {
  return fmt::format("{:.2f}", value);
}

std::string seconds_text(double seconds) {
  return fmt::format("{:.1f} s", seconds);
}

std::string tile(std::string_view name, const std::string& value, bool bad = false) {
  return fmt::format("<div class=\"tile{}\"><b>{}</b><span>{}</span></div>\n", bad ? " bad" : "", escape_html(value),
                     escape_html(name));
}

// ---- The parts of one result ----

std::string tiles(const Json& document) {
  std::string out = "<div class=\"tiles\">\n";
  const auto add = [&](const char* name, const char* pointer, std::string (*text)(double)) {
    if (const auto value = number_at(document, pointer)) out += tile(name, text(*value));
  };
  if (is_bundled(document)) add("operations/s", "/throughput/operations_per_s", &count_text);
  add("requests/s", "/throughput/requests_per_s", &count_text);
  add("p50", "/latency_us/p50", &latency_text);
  add("p99", "/latency_us/p99", &latency_text);
  add("p99.9", "/latency_us/p99_9", &latency_text);
  add("max", "/latency_us/max", &latency_text);
  for (const auto& [name, pointer] :
       {std::pair{"refused", "/requests/refused"}, std::pair{"failed", "/requests/failed"},
        std::pair{"unknown", "/requests/unknown"}}) {
    const auto count = number_at(document, pointer);
    if (count && *count > 0) out += tile(name, count_text(*count), true);
  }
  return out + "</div>\n";
}

std::string nodes_section(const Json& document) {
  const auto* nodes = part_of(document, "nodes");
  if (nodes == nullptr || !nodes->is_array() || nodes->empty()) return {};
  HtmlTable table(
      {"node", "CPU", "CPU an operation", "memory, most", "at the end", "files open", "written", "over the payload"});
  for (const auto& node : *nodes) {
    table.add({text_at(node, "/name"), or_dash(number_at(node, "/cpu_s"), &seconds_text),
               or_dash(number_at(node, "/cpu_us_per_operation"), &latency_text),
               or_dash(number_at(node, "/rss_bytes_max"), &bytes_text),
               or_dash(number_at(node, "/rss_bytes_end"), &bytes_text),
               or_dash(number_at(node, "/fds_end"), &count_text),
               or_dash(number_at(node, "/disk_bytes_written"), &bytes_text),
               or_dash(number_at(node, "/disk_over_payload"), &two_digits)});
  }
  std::vector<std::string> generator;
  if (const auto cores = number_at(document, "/generator/cores_used")) {
    generator.push_back(fmt::format("the load generator used {:.2f} cores", *cores));
  }
  if (const auto behind = number_at(document, "/generator/behind_us_max")) {
    generator.push_back("sent at most " + latency_text(*behind) + " late");
  }
  return section("Nodes", joined(generator), table.end());
}

/// "name: value" pairs of an object, as it has them.
std::string pairs_section(std::string_view title, std::string_view note, const Json* object) {
  if (object == nullptr || !object->is_object() || object->empty()) return {};
  std::string out = "<dl>\n";
  for (const auto& [key, value] : object->items()) {
    out += fmt::format("<div><dt>{}</dt><dd>{}</dd></div>\n", escape_html(key), escape_html(dump(value)));
  }
  return section(title, note, out + "</dl>\n");
}

/// Goals of goals.h and of --assert alike: whatever has a name or an expression, a value, and whether it holds.
std::string goals_section(const Json& document) {
  const auto* goals = part_of(document, "goals");
  if (goals == nullptr || !goals->is_array() || goals->empty()) return {};
  std::string out =
      "<div class=\"scroll\"><table><thead><tr><th></th><th>figure</th><th class=\"number\">is</th><th>goal</th>"
      "<th>how</th></tr></thead><tbody>\n";
  const auto first_of = [](const Json& goal, std::initializer_list<const char*> keys) -> Json {
    for (const auto* key : keys) {
      if (const auto* value = part_of(goal, key); value != nullptr && !value->is_null()) return *value;
    }
    return nullptr;
  };
  for (const auto& goal : *goals) {
    const auto met = first_of(goal, {"met", "holds"});
    const auto value = first_of(goal, {"value"});
    out += fmt::format(
        "<tr><td>{}</td><td>{}</td><td class=\"number\">{}</td><td>{}</td><td class=\"text soft\">{}</td></tr>\n",
        !met.is_boolean() ? ""
        : met.get<bool>() ? "<span class=\"yes\">✓</span>"
                          : "<span class=\"no\">✗</span>",
        escape_html(dump(first_of(goal, {"name", "expression"}))),
        escape_html((value.is_number() ? fmt::format("{:.4g}", value.get<double>()) : dump(value)) + " " +
                    text_at(goal, "/unit")),
        escape_html(dump(first_of(goal, {"goal"}))), escape_html(text_at(goal, "/how")));
  }
  return section("Goals", "", out + "</tbody></table></div>\n");
}

std::string limits_section(const Json& document) {
  const Json::json_pointer at("/limits/measured");
  if (!document.contains(at) || !document.at(at).is_array()) return {};
  HtmlTable table({"work", "median", "smallest", "largest"});
  for (const auto& limit : document.at(at)) {
    const auto unit = text_at(limit, "/unit");
    const auto number = [&](const char* pointer) -> std::string {
      const auto value = number_at(limit, pointer);
      if (!value) return "–";
      if (unit == "us") return latency_text(*value);
      return unit == "bytes/s" ? bytes_text(*value) + "/s" : fmt::format("{} {}", count_text(*value), unit);
    };
    table.add({text_at(limit, "/name"), number("/value"), number("/min"), number("/max")});
  }
  return section("What the machine can do", "each kind of work measured alone, in the same run", table.end());
}

// ---- Several results ----

std::string runs_section(const Results& results) {
  HtmlTable table({"run", "started", "requests/s", "operations/s", "p50", "p99", "max", "refused"});
  for (const auto& [name, document] : results) {
    table.add({name, time_text(*document), or_dash(number_at(*document, "/throughput/requests_per_s"), &count_text),
               or_dash(number_at(*document, "/throughput/operations_per_s"), &count_text),
               or_dash(number_at(*document, "/latency_us/p50"), &latency_text),
               or_dash(number_at(*document, "/latency_us/p99"), &latency_text),
               or_dash(number_at(*document, "/latency_us/max"), &latency_text),
               or_dash(number_at(*document, "/requests/refused"), &count_text)});
  }
  return section("Runs", "", table.end());
}

std::string plots(const Results& results) {
  const auto throughput = throughput_plot(results);
  const bool operations =
      std::any_of(results.begin(), results.end(), [](const auto& r) { return is_bundled(*r.document); });
  return plot_section("Throughput", operations ? "operations final in each second" : "requests final in each second",
                      throughput) +
         plot_section("Latency over time", "of the requests of each second, from when they were to be sent",
                      latency_plot(results)) +
         plot_section("Latency by percentile", "each nine is as wide as the one before", percentile_plot(results));
}

std::string one_result(const Json& document) {
  const auto nodes = number_at(document, "/config/nodes");
  const auto rate =
      number_at(document, is_bundled(document) ? "/throughput/operations_per_s" : "/throughput/requests_per_s");
  const auto title = joined({"zell bench", nodes ? fmt::format("{:g} nodes", *nodes) : "",
                             rate ? count_text(*rate) + (is_bundled(document) ? " operations/s" : " requests/s") : ""});
  const auto version = text_at(document, "/version");
  const auto subtitle =
      joined({time_text(document), version.empty() ? "" : "version " + version, machine_text(document)});
  return page(title, subtitle,
              tiles(document) + plots({{"", &document}}) + nodes_section(document) + goals_section(document) +
                  pairs_section("Configuration", "", part_of(document, "config")) +
                  pairs_section("Requests", "", part_of(document, "requests")) + limits_section(document));
}

std::string several_results(const Json& documents) {
  Results results;
  for (const auto& document : documents) {
    results.push_back({fmt::format("run {}", results.size() + 1), &document});
  }
  std::string body = runs_section(results) + plots(results);
  const auto same = [&](const char* key) {
    return std::all_of(results.begin(), results.end(), [&](const auto& r) {
      const auto *first = part_of(*results[0].document, key), *other = part_of(*r.document, key);
      return first == other || (first != nullptr && other != nullptr && *first == *other);
    });
  };
  if (!results.empty() && same("config") && same("machine")) {
    body += pairs_section("Configuration of all runs", machine_text(documents[0]), part_of(documents[0], "config"));
  } else {
    for (const auto& [name, document] : results) {
      body += pairs_section("Configuration of " + name, machine_text(*document), part_of(*document, "config"));
    }
  }
  return page(fmt::format("zell bench · {} runs", results.size()), "", body);
}

}  // namespace

std::string html_report(const Json& result) {
  if (!result.is_array()) return one_result(result);
  return result.size() == 1 ? one_result(result[0]) : several_results(result);
}

}  // namespace zell
