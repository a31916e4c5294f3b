// The text format, the histogram, and counters by label.

#include <catch2/catch.hpp>
#include <limits>

#include "node/base/check.h"
#include "node/metrics/counts_by_label.h"
#include "node/metrics/process_metrics.h"

using namespace zell;

TEST_CASE("A family has its HELP and TYPE before its samples") {
  MetricsText out;
  out.gauge("zell_view", "The view.", std::uint64_t{3});
  out.counter("zell_sent_total", "Sent.");
  out.add(1, {{"peer", "n1"}});
  out.add(2, {{"peer", "n2"}, {"lane", "bulk"}});
  CHECK(out.text() ==
        "# HELP zell_view The view.\n# TYPE zell_view gauge\nzell_view 3\n"
        "# HELP zell_sent_total Sent.\n# TYPE zell_sent_total counter\n"
        "zell_sent_total{peer=\"n1\"} 1\nzell_sent_total{peer=\"n2\",lane=\"bulk\"} 2\n");
}

TEST_CASE("Whole numbers are exact, others as short as they can be, truth is 1") {
  MetricsText out;
  out.gauge("g", "A gauge.");
  out.add(std::numeric_limits<std::uint64_t>::max());
  out.add(0.25);
  out.add(true);
  out.add(std::numeric_limits<double>::infinity());
  CHECK(out.text().ends_with("gauge\ng 18446744073709551615\ng 0.25\ng 1\ng +Inf\n"));
}

TEST_CASE("What a label may hold is escaped") {
  MetricsText out;
  out.gauge("g", "A gauge.");
  out.add(1, {{"name", "a\"b\\c\nd"}});
  CHECK(out.text().ends_with("g{name=\"a\\\"b\\\\c\\nd\"} 1\n"));
}

TEST_CASE("A histogram's buckets are cumulative, and +Inf is the count") {
  static constexpr double bounds[] = {0.001, 0.5, 2};
  BucketHistogram values(bounds);
  for (double value : {0.0005, 0.001, 0.3, 2.0, 2.5, 100.0}) values.note(value);
  values.note(std::chrono::microseconds(1'000'000));
  CHECK(values.count_in(0) == 2);  // a bound belongs to its bucket
  MetricsText out;
  out.histogram("took_seconds", "How long.", values);
  CHECK(out.text() ==
        "# HELP took_seconds How long.\n# TYPE took_seconds histogram\n"
        "took_seconds_bucket{le=\"0.001\"} 2\ntook_seconds_bucket{le=\"0.5\"} 3\ntook_seconds_bucket{le=\"2\"} 5\n"
        "took_seconds_bucket{le=\"+Inf\"} 7\ntook_seconds_sum 105.8015\ntook_seconds_count 7\n");
}

TEST_CASE("Only words that are known beforehand make series") {
  CountsByLabel counts("reason", {"busy", "learner"});
  counts.add("busy");
  counts.add("something a peer made up");
  counts.add("something else", 4);
  MetricsText out;
  out.counter("refused_total", "Refused.");
  counts.write(out);
  CHECK(out.text().ends_with(
      "refused_total{reason=\"busy\"} 1\nrefused_total{reason=\"learner\"} 0\nrefused_total{reason=\"other\"} 5\n"));
}

TEST_CASE("The process' own figures are plausible") {
  MetricsText out;
  write_process_metrics(out);
  auto value = [&](const std::string& name) {
    auto at = out.text().find("\n" + name + " ");
    REQUIRE(at != std::string::npos);
    return std::stod(out.text().substr(at + name.size() + 2));
  };
  CHECK(value("process_cpu_seconds_total") >= 0);
  CHECK(value("process_resident_memory_bytes") > 100'000);
  CHECK(value("process_virtual_memory_bytes") >= value("process_resident_memory_bytes"));
  CHECK(value("process_threads") >= 1);
  CHECK(value("process_open_fds") >= 3);
  CHECK(value("process_max_fds") >= value("process_open_fds"));
  auto now = std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  CHECK(value("process_start_time_seconds") < now + 2);
  CHECK(value("process_start_time_seconds") > now - 3'600);
}
