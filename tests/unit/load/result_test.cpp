// The result's document, its CSV, --assert, and what is read from /proc.

#include "cluster/load/result.h"

#include <fcntl.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "cluster/load/expectations.h"

namespace zell {
namespace {

using namespace std::chrono_literals;

BenchResult sample_result() {
  BenchResult out;
  out.config.nodes = 2;
  out.config.duration = 2s;
  out.config.bundle = 10;
  out.config.payload_bytes = 100;
  out.config.wait = "finalised";
  Recorder recorder(0s, 2s);
  recorder.offered(103);
  for (int k = 1; k <= 100; ++k) recorder.finalised(1s + 1ms * k, 1s, {static_cast<std::uint64_t>(k)});
  recorder.refused(1s, "busy", 2);
  recorder.failed("bad-answer");
  out.counts = recorder.counts();
  ProcessMeter::Used small, large;
  small.cpu = 1ms;
  small.rss_bytes_max = 10 << 20;
  small.written_bytes = 150'000;
  large = small;
  large.cpu = 2ms;
  large.rss_bytes_max = 20 << 20;
  out.nodes = {{"n1", small}, {"n2", large}};
  out.generator.cpu = 500ms;
  return out;
}

bool holds(const std::string& expression, const BenchResult& result) {
  const auto parsed = parse_expectations(expression);
  REQUIRE(parsed.ok());
  REQUIRE(parsed->size() == 1);
  return check(parsed->front(), result).holds;
}

TEST_CASE("the result's document says what was counted, per second, request, operation and byte") {
  const auto document = json_of(sample_result());
  CHECK(document["schema"] == 1);
  CHECK(document["kind"] == "bench");
  CHECK(document["config"]["rate"].is_null());
  const auto& requests = document["requests"];
  CHECK(requests["offered"].get<int>() == requests["finalised"].get<int>() + requests["refused"].get<int>() +
                                              requests["failed"].get<int>() + requests["unknown"].get<int>());
  CHECK(requests["refused_by"]["busy"] == 2);
  CHECK(document["throughput"]["requests_per_s"] == 50.0);
  CHECK(document["throughput"]["operations_per_s"] == 500.0);
  CHECK(document["throughput"]["payload_bytes_per_s"] == 50'000.0);
  const auto& latency = document["latency_us"];
  CHECK(latency["count"] == 100);
  CHECK(latency["max"] == 100'000);
  CHECK(latency["min"] == 1'000);
  std::uint64_t counted = 0;
  for (const auto& bucket : latency["histogram"]["counts"]) counted += bucket[2].get<std::uint64_t>();
  CHECK(counted == 100);
  REQUIRE(document["seconds"].size() == 2);
  CHECK(document["seconds"][0]["requests"] == 0);
  CHECK(document["seconds"][1]["requests"] == 100);
  CHECK(document["seconds"][1]["operations"] == 1'000);
  CHECK(document["seconds"][1]["refused"] == 2);
  CHECK(document["nodes"][0]["cpu_us_per_request"] == 10.0);
  CHECK(document["nodes"][0]["cpu_us_per_operation"] == 1.0);
  CHECK(document["nodes"][0]["disk_over_payload"] == 1.5);
  CHECK(document["generator"]["cores_used"] == 0.25);
  CHECK(document["log"]["first_index"] == 1);
  CHECK(document["log"]["last_index"] == 100);
  CHECK(document["limits"].is_null());
  CHECK(document["asserted"].is_null());
}

TEST_CASE("a node that was not there all the time has no figures, and nothing is divided by zero") {
  auto result = sample_result();
  result.nodes[1].used.reset();
  auto document = json_of(result);
  CHECK(document["nodes"][1]["name"] == "n2");
  CHECK(document["nodes"][1]["cpu_s"].is_null());
  result.counts = Recorder(0s, 2s).counts();
  document = json_of(result);
  CHECK(document["nodes"][0]["cpu_us_per_request"] == 0.0);
  CHECK(document["latency_us"]["p99"] == 0);
}

TEST_CASE("the CSV has a line a second") {
  CHECK(csv_of(sample_result())
            .starts_with("second,requests,operations,refused,p50_us,p99_us,max_us\n0,0,0,0,0,0,0\n1,"
                         "100,1000,2,"));
}

TEST_CASE("an assertion compares the figure that it names, in the unit that it names") {
  const auto result = sample_result();
  CHECK(holds("max<=100ms", result));
  CHECK_FALSE(holds("max<100ms", result));
  CHECK(holds("max<0.2s", result));
  CHECK(holds("min=1000us", result));
  CHECK(holds("p50>=50ms", result));
  CHECK(holds("rate>49.9", result));
  CHECK_FALSE(holds("rate>50", result));
  CHECK(holds("ops=500", result));
  CHECK(holds("refused=2", result));
  CHECK_FALSE(holds("failed=0", result));
  CHECK(holds("unknown=0", result));
  CHECK(holds("rss<=20MiB", result));
  CHECK_FALSE(holds("rss<20MiB", result));
  CHECK(holds("disk<2", result));
  const auto goal = check(parse_expectations("max<1s")->front(), result);
  CHECK(goal.expression == "max<1s");
  CHECK(goal.value == 0.1);
  CHECK(parse_expectations("p99.9<50ms,rate>9000")->size() == 2);
}

TEST_CASE("an assertion about what was not measured does not hold") {
  auto result = sample_result();
  result.counts.latency = Histogram();
  result.nodes[0].used.reset();
  for (const std::string expression : {"p99<1s", "p99>0s", "rss<1GiB", "disk>0"}) {
    INFO(expression);
    CHECK_FALSE(holds(expression, result));
  }
}

TEST_CASE("an --assert that is not understood is refused with what is wrong") {
  const auto what = [](std::string_view text) {
    const auto parsed = parse_expectations(text);
    REQUIRE_FALSE(parsed.ok());
    CHECK(parsed.error().code == "usage");
    return parsed.error().what + "|" + parsed.error().hint;
  };
  CHECK(what("p99<50") == "--assert: 'p99<50' lacks a unit|us, ms or s");
  CHECK(what("p99<50h") == "--assert: 'p99<50h' has a unit that it can't have: h|us, ms or s");
  CHECK(what("rate>9000/s") == "--assert: 'rate>9000/s' has a unit that it can't have: /s|it is a plain number");
  CHECK(what("p95<1s") == "--assert: no figure is called 'p95'|did you mean p90?");
  CHECK(what("rate") == "--assert: 'rate' compares nothing|write it as p99<50ms,rate>9000");
  for (const std::string_view wrong : {"", ",", "p99<1s,", "rate>", "rate>x", "<5", "rate=>5", "rate>5,,ops>5",
                                       "p99<1ss", "rate>nan", "rate>inf", "rate>1e400", "rate!5"}) {
    INFO(wrong);
    CHECK_FALSE(parse_expectations(wrong).ok());
  }
}

TEST_CASE("CPU, memory, files and bytes written of a process are read from the kernel") {
  ProcessMeter meter(::getpid());
  meter.begin();
  const auto fds_before = usage_of(::getpid())->open_fds;
  const int fd = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  REQUIRE(fd >= 0);
  const auto begin = own_cpu();
  std::uint64_t spin = 0;
  while (own_cpu() - begin < 20ms) spin = spin * 31 + 1;
  CHECK(spin != 2);
  meter.sample();
  meter.end();
  ::close(fd);
  const auto used = meter.used();
  REQUIRE(used.has_value());
  CHECK(used->cpu >= 20ms);
  CHECK(used->rss_bytes_max >= used->rss_bytes_end);
  CHECK(used->rss_bytes_end > 1 << 20);
  CHECK(used->fds_end == fds_before + 1);
}

TEST_CASE("a process that is gone has no figures") {
  const auto nobody = std::int64_t{1} << 30;
  CHECK(usage_of(nobody).error().code == "no-process");
  ProcessMeter meter(nobody);
  meter.begin();
  meter.sample();
  meter.end();
  CHECK_FALSE(meter.used().has_value());
  CHECK_FALSE(ProcessMeter(::getpid()).used().has_value());
}

}  // namespace
}  // namespace zell
