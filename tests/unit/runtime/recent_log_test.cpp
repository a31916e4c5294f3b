#include "node/runtime/recent_log.h"

#include <catch2/catch.hpp>

#include "node/base/coding.h"
#include "node/crypto/hash.h"

namespace zell {
namespace {

BatchPtr batch_of(std::uint64_t first, std::size_t count, std::uint32_t bytes_each = 10) {
  auto batch = std::make_shared<Batch>();
  auto requests = std::make_shared<Requests>();
  for (std::size_t i = 0; i < count; ++i) {
    auto request = std::make_shared<Request>();
    Writer text;
    text.u64(first + i);
    request->id = RequestId::from(sha256(text.bytes()).view());
    requests->push_back(std::move(request));
  }
  batch->header.view = View{first};
  batch->header.first = Index{first};
  batch->header.end.index = Index{first + count - 1};
  batch->requests = std::move(requests);
  batch->request_bytes = static_cast<std::uint32_t>(count) * bytes_each;
  return batch;
}

}  // namespace

TEST_CASE("the recent log finds requests by id and by index, and batches from an index on") {
  RecentLog log(Index{10});
  CHECK(log.end() == Index{10});
  CHECK(log.since(Index{10}).empty());
  auto a = batch_of(11, 3), b = batch_of(14, 1);
  log.add(a);
  log.add(b);
  CHECK(log.end() == Index{14});
  CHECK(log.since(Index{10}).empty());
  CHECK(log.since(Index{11}) == std::vector{a, b});
  CHECK(log.since(Index{13}) == std::vector{a, b});
  CHECK(log.since(Index{14}) == std::vector{b});
  CHECK(log.since(Index{15}).empty());
  CHECK(log.request(Index{12}) == (*a->requests)[1]);
  CHECK(log.request(Index{10}) == nullptr);
  CHECK(log.request(Index{15}) == nullptr);
  auto found = log.find((*a->requests)[2]->id);
  REQUIRE(found);
  CHECK(found->index == Index{13});
  CHECK(found->view == View{11});
  CHECK_FALSE(log.find(RequestId{}));
}

TEST_CASE("what the store was not told yet stays in the recent log, whatever its size; the rest is bounded") {
  RecentLog log(Index{0});
  constexpr std::size_t count = 1'000;
  for (std::size_t i = 0; i < 100; ++i) log.add(batch_of(1 + i * count, count));
  CHECK(log.since(Index{1}).size() == 100);
  log.durable_to(Index{50'000});
  CHECK(log.since(Index{50'000}).empty());
  CHECK(log.since(Index{50'001}).size() == 50);
  log.durable_to(Index{100'000});
  CHECK(log.since(Index{100'000}).size() == 1);
  CHECK(log.since(Index{100'000 - RecentLog::kept_requests + count}).size() == RecentLog::kept_requests / count);
  CHECK_FALSE(log.find((*batch_of(1, 1)->requests)[0]->id));

  log.add(batch_of(100'001, 1, RecentLog::kept_bytes + 1));
  CHECK(log.since(Index{100'001}).size() == 1);
  CHECK(log.since(Index{100'000}).empty());
}

}  // namespace zell
