#include "cluster/load/html_report.h"

#include <catch2/catch.hpp>
#include <random>

#include "cluster/load/result_plots.h"
#include "cluster/load/svg_plot.h"
#include "node/base/prng.h"

namespace zell {
namespace {

using Json = nlohmann::json;

Json result() {
  return Json::parse(R"({"schema":1,"kind":"bench","version":"0.1.0","started_unix_ms":1700000000000,
    "machine":{"cpu":"one","cores":2,"kernel":"Linux"},"config":{"nodes":4,"rate":null,"bundle":1,"size":128},
    "requests":{"offered":30,"refused":3,"refused_by":{"busy":3}},
    "throughput":{"requests_per_s":10,"operations_per_s":10},
    "latency_us":{"min":100,"p50":200,"p99":400,"max":400,
      "histogram":{"significant_bits":7,"counts":[[100,100,10],[200,201,10],[400,403,10]]}},
    "seconds":[{"second":0,"requests":9,"refused":1,"p50_us":150,"p99_us":300,"max_us":390},
               {"second":1,"requests":0,"refused":2,"p50_us":null,"p99_us":null,"max_us":null},
               {"second":2,"requests":11,"refused":0,"p50_us":200,"p99_us":350,"max_us":400}],
    "nodes":[{"name":"n1","cpu_s":1.5,"cpu_us_per_operation":20,"rss_bytes_max":1048576}]})");
}

std::size_t count_of(const std::string& text, std::string_view part) {
  std::size_t out = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++out;
  return out;
}

TEST_CASE("a page loads nothing and runs nothing") {
  const auto page = html_report(result());
  CHECK(page.find("<!doctype html>") == 0);
  for (const char* bad : {"http:", "https:", "<script", "<link rel=\"stylesheet", "@import", "url(", " src="}) {
    INFO(bad);
    CHECK(page.find(bad) == std::string::npos);
  }
  CHECK(page.find("default-src 'none'") != std::string::npos);
}

TEST_CASE("a second without a figure is a gap, not a line through zero") {
  const auto document = result();
  const auto plot = latency_plot({{"", &document}});
  REQUIRE(plot.lines.size() == 3);
  REQUIRE(plot.lines[0].pieces.size() == 2);
  CHECK(plot.lines[0].pieces[0].size() == 1);
  CHECK(plot.lines[0].pieces[1][0].x == 2);
  // No request in a second is a figure.
  const auto throughput = throughput_plot({{"", &document}});
  REQUIRE(throughput.lines.size() == 2);
  CHECK(throughput.lines[0].pieces.size() == 1);
  CHECK(throughput.lines[1].name == "refused/s");
}

TEST_CASE("the line of percentiles is each bucket's upper bound between the shares before and after it") {
  const auto document = result();
  const auto plot = percentile_plot({{"", &document}});
  REQUIRE(plot.lines.size() == 1);
  const auto& points = plot.lines[0].pieces.at(0);
  const std::vector<std::pair<double, double>> steps{{0, 100},       {1.0 / 3, 100}, {1.0 / 3, 201},
                                                     {2.0 / 3, 201}, {2.0 / 3, 400}, {1 - 1.0 / 30, 400}};
  REQUIRE(points.size() == steps.size());
  for (std::size_t k = 0; k < steps.size(); ++k) {
    INFO(k);
    CHECK(points[k].x == Approx(steps[k].first));
    CHECK(points[k].y == steps[k].second);  // never above the largest
  }
}

TEST_CASE("numbers are written as a person reads them") {
  CHECK(count_text(0) == "0");
  CHECK(count_text(999) == "999");
  CHECK(count_text(5'031) == "5,031");
  CHECK(count_text(123'456) == "123,456");
  CHECK(count_text(1'240'000) == "1.24 M");
  CHECK(latency_text(0.0968) == "97 ns");
  CHECK(latency_text(640) == "640 µs");
  CHECK(latency_text(8'140) == "8.1 ms");
  CHECK(latency_text(41'000) == "41 ms");
  CHECK(latency_text(1'200'000) == "1.2 s");
  CHECK(percent_text(0) == "0 %");
  CHECK(percent_text(0.5) == "50 %");
  CHECK(percent_text(0.9) == "90 %");
  CHECK(percent_text(0.999) == "99.9 %");
  CHECK(percent_text(0.9999) == "99.99 %");
}

TEST_CASE("escaped text holds no markup, and bytes that are no text are replaced") {
  CHECK(escape_html("a<b> & \"c\" 'd'") == "a&lt;b&gt; &amp; &quot;c&quot; &#39;d&#39;");
  CHECK(escape_html("é€😀") == "é€😀");
  CHECK(escape_html(std::string_view("a\0b\x1f\x7f", 5)) ==
        "a\xef\xbf\xbd"
        "b\xef\xbf\xbd\xef\xbf\xbd");
  for (const char* bad : {"\xff", "\xc3", "\xc0\xaf", "\xe0\x80\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xf0\x9f"}) {
    const auto out = escape_html(bad);
    CHECK(out.substr(0, 3) == "\xef\xbf\xbd");
    CHECK(out.find(bad) == std::string::npos);
  }
}

TEST_CASE("several results are drawn over each other, one color each") {
  const auto page = html_report(Json::array({result(), result()}));
  CHECK(page.find("2 runs") != std::string::npos);
  CHECK(count_of(page, "data-line=\"run 2\"") == 4);       // throughput and percentiles, wide and narrow
  CHECK(count_of(page, "data-line=\"run 2, p99\"") == 4);  // two pieces each
  CHECK(count_of(page, "Configuration of all runs") == 1);
  auto other = result();
  other["config"]["nodes"] = 7;
  CHECK(count_of(html_report(Json::array({result(), other})), "Configuration of run 2") == 1);
  CHECK(html_report(Json::array({result()})) == html_report(result()));
}

/// Puts something else in one random place.
void damage(Json& document, Prng& random) {
  auto* at = &document;
  while (at->is_structured() && !at->empty() && random.below(5) != 0) {
    at = &*std::next(at->begin(), static_cast<std::ptrdiff_t>(random.below(at->size())));
  }
  const Json instead[] = {
      nullptr, -1,     0,     1e300, "text <b>", Json::array(), Json::object(), true, Json::array({Json::array({1})}),
      1e-300,  "\xff", -1e300};
  *at = instead[random.below(std::size(instead))];
}

TEST_CASE("whatever a document holds or lacks, there is a page") {
  const std::uint64_t seed = std::random_device{}();
  INFO("seed " << seed);
  Prng random(seed);
  CHECK(html_report(Json::object()).find("zell bench") != std::string::npos);
  CHECK(html_report(Json::array()).find("0 runs") != std::string::npos);
  for (int round = 0; round < 2'000; ++round) {
    auto document = result();
    for (auto times = 1 + random.below(4); times > 0; --times) damage(document, random);
    INFO("round " << round << ": " << document.dump(-1, ' ', false, Json::error_handler_t::replace));
    const auto page = html_report(random.chance(200'000) ? Json::array({document, result()}) : document);
    CHECK(page.find("</html>") != std::string::npos);
    CHECK(page.find("<b>\"") == std::string::npos);
    CHECK(page.find("text <b>") == std::string::npos);
    CHECK(page.find("nan") == std::string::npos);
    CHECK(page.find("inf") == std::string::npos);
  }
}

}  // namespace
}  // namespace zell
