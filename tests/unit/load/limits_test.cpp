#include "cluster/load/limits.h"

#include <catch2/catch.hpp>
#include <fstream>
#include <iterator>

#include "tests/support/temp_folder.h"

namespace zell {
namespace {

TEST_CASE("every limit is measured and documented, and nothing is left behind") {
  const test::TempFolder folder;
  std::size_t steps = 0, total = 0;
  LimitsOptions options;
  options.folder = folder.path();
  options.rounds = 2;
  options.progress = [&](std::size_t done, std::size_t of) {
    CHECK(done == ++steps);
    total = of;
    return true;
  };
  auto limits = measure_limits(options);
  INFO((limits ? "" : limits.error().what));
  REQUIRE(limits.ok());
  CHECK(steps == total);
  CHECK(std::filesystem::is_empty(folder.path()));

  std::ifstream page(ZELL_LIMITS_PAGE);
  const std::string text{std::istreambuf_iterator<char>(page), {}};
  CHECK(limits->measured.size() == 26);
  for (const auto& limit : limits->measured) {
    INFO(limit.name);
    CHECK(text.find("`" + limit.name + "`") != std::string::npos);
    CHECK(limit.rounds == 2);
    CHECK(limit.min > 0);
    CHECK(limit.min <= limit.value);
    CHECK(limit.value <= limit.max);
    CHECK(limit.per_s == Approx(limit.unit == "us" ? 1e6 / limit.value : limit.value));
  }
  CHECK(limits->machine.cores >= 1);
  CHECK(limits->find("ecdsa-verify") != nullptr);
  CHECK(limits->find("ecdsa") == nullptr);

  const auto read = parse_limits(to_json(*limits));
  REQUIRE(read.ok());
  CHECK(to_json(*read) == to_json(*limits));
}

TEST_CASE("measuring stops when it is told to, and clears away what it made") {
  const test::TempFolder folder;
  LimitsOptions options;
  options.folder = folder.path();
  options.progress = [](std::size_t done, std::size_t) { return done < 2; };
  const auto limits = measure_limits(options);
  REQUIRE_FALSE(limits.ok());
  CHECK(limits.error().code == "interrupted");
  CHECK(std::filesystem::is_empty(folder.path()));
}

TEST_CASE("a folder that cannot be written is an error, not a figure") {
  const test::TempFolder folder;
  LimitsOptions options;
  options.folder = folder.path() / "missing";
  const auto limits = measure_limits(options);
  REQUIRE_FALSE(limits.ok());
  CHECK(limits.error().code == "io");
}

TEST_CASE("what is no limits document is refused") {
  using Json = nlohmann::json;
  for (const auto& document :
       {Json(), Json::array(), Json{{"schema", 2}, {"kind", "limits"}}, Json{{"schema", 1}, {"kind", "bench"}},
        Json{{"schema", 1}, {"kind", "limits"}},
        Json{{"schema", 1}, {"kind", "limits"}, {"cores", "two"}, {"machine", Json::object()}}}) {
    INFO(document.dump());
    const auto limits = parse_limits(document);
    REQUIRE_FALSE(limits.ok());
    CHECK(limits.error().code == "bad-document");
  }
}

}  // namespace
}  // namespace zell
