// Reading the log from nodes that are not trusted.

#include "tests/unit/client/client_fixture.h"

using namespace zell;
using namespace zell::testing;

namespace {

BatchPtr changed(const BatchPtr& batch, const std::function<void(Batch&)>& change) {
  auto copy = std::make_shared<Batch>(*batch);
  change(*copy);
  return copy;
}

/// The same header over another body: the log's root does not see the difference.
RequestPtr other_body(const Request& request) {
  auto copy = std::make_shared<Request>(request);
  copy->canonical.back() ^= 1;
  return copy;
}

BatchPtr with_request(const BatchPtr& batch, std::size_t position, const RequestPtr& request) {
  return changed(batch, [&](Batch& b) {
    auto requests = *b.requests;
    requests[position] = request;
    b.requests = std::make_shared<Requests>(std::move(requests));
  });
}

struct Lie {
  const char* name;
  const char* field;  ///< that the client names
  std::function<void(LogPage&)> tell;
};

const std::vector<Lie>& page_lies() {
  static const Chain other(99);  // foreign keys
  static const Chain chain;
  static const std::vector<Lie> lies{
      {"another request in place of one", "root",
       [](LogPage& page) { page.finalised[1] = with_request(page.finalised[1], 0, chain.request(1'000, "add 666")); }},
      {"another body under the same header", "payloads",
       [](LogPage& page) {
         page.finalised[1] = with_request(page.finalised[1], 1, other_body(*(*page.finalised[1]->requests)[1]));
       }},
      {"requests in another order", "root",
       [](LogPage& page) {
         auto first = (*page.finalised[0]->requests)[0], second = (*page.finalised[0]->requests)[1];
         page.finalised[0] = with_request(with_request(page.finalised[0], 0, second), 1, first);
       }},
      {"a wrong root in a header", "root",
       [](LogPage& page) {
         page.finalised[0] = changed(page.finalised[0], [](Batch& b) { b.header.end.root.bytes[3] ^= 1; });
       }},
      {"a batch left out", "batches", [](LogPage& page) { page.finalised.erase(page.finalised.begin() + 1); }},
      {"the end left out", "certificate", [](LogPage& page) { page.finalised.pop_back(); }},
      {"the beginning left out", "from", [](LogPage& page) { page.finalised.erase(page.finalised.begin()); }},
      {"no certificate", "certificate", [](LogPage& page) { page.fc.reset(); }},
      {"a certificate of another root", "certificate", [](LogPage& page) { page.fc->point.root.bytes[0] ^= 1; }},
      {"a certificate of another view", "certificate", [](LogPage& page) { page.fc->view = {7}; }},
      {"too few signatures", "certificate",
       [](LogPage& page) { page.fc = chain.certify(page.fc->point, Phase::final, {}, 2); }},
      {"a signer twice", "page",
       [](LogPage& page) {
         page.fc = chain.certify(page.fc->point, Phase::final, {}, 2);
         page.fc->signatures.push_back(page.fc->signatures.back());
       }},
      {"a forged signature", "certificate", [](LogPage& page) { page.fc->signatures[2].signature.bytes[10] ^= 1; }},
      {"another member's signature", "certificate",
       [](LogPage& page) { page.fc->signatures[2].signature = page.fc->signatures[1].signature; }},
      {"signed by keys of another cluster", "certificate",
       [](LogPage& page) { page.fc = other.certify(page.fc->point); }},
      {"a lock certificate", "certificate",
       [](LogPage& page) { page.fc = chain.certify(page.fc->point, Phase::lock); }},
  };
  return lies;
}

}  // namespace

TEST_CASE("An honest node's log is read whole, in pages, from anywhere, and on from a checkpoint") {
  HttpFixture node(grown(5, 7));
  auto client = client_of({&node});
  auto all = read_all(client, 35);
  REQUIRE(all.size() == 35);
  CHECK(all[34] == "add 35");

  ReadOptions small;
  small.page_bytes = 1;
  CHECK(read_all(client, 35, small) == all);

  for (std::uint64_t from : {2, 7, 8, 20, 35}) {
    CAPTURE(from);
    ReadOptions options;
    options.from = {from};
    CHECK(read_all(client, 35, options) ==
          std::vector<std::string>(all.begin() + static_cast<long>(from) - 1, all.end()));
  }

  small.page_bytes = 1;
  auto reader = client.read(small);
  REQUIRE(reader->next(milliseconds(0)).ok());
  CHECK(reader->next_index().value == 8);
  ReadOptions resumed;
  resumed.checkpoint = reader->checkpoint();
  auto other_client = client_of({&node});
  CHECK(read_all(other_client, 35, resumed).size() == 28);
  CHECK(client.faults().empty());
}

TEST_CASE("A reader at the end waits for what becomes final, and gets an empty piece when nothing does") {
  HttpFixture node(grown(1, 2));
  auto client = client_of({&node});
  ReadOptions options;
  options.from = {3};
  auto reader = client.read(options);
  REQUIRE(reader.ok());
  auto piece = reader->next(milliseconds(20));
  REQUIRE(piece.ok());
  CHECK(piece->requests.empty());
  CHECK(piece->certificate == nullptr);
  std::thread later([&] {
    node.eventually([](FakeNode& fake, HttpServer&) { return fake.waiting() == 1; });
    node.on_loop([](FakeNode& fake) { fake.chain.grow(1, 1); });
  });
  piece = reader->next(milliseconds(10'000));
  later.join();
  REQUIRE(piece.ok());
  REQUIRE(piece->requests.size() == 1);
  CHECK(piece->first.value == 3);
  CHECK(piece->certificate->point.index.value == 3);

  options.from = {9};
  auto beyond = client.read(options);
  REQUIRE_FALSE(beyond.ok());
  CHECK(beyond.error().code == "not-final");
}

TEST_CASE("Each lie in a page of the log is caught, named, and the honest node is read instead") {
  auto lie = GENERATE(from_range(page_lies()));
  CAPTURE(lie.name);
  HttpFixture liar(grown(3, 4)), honest(grown(3, 4));
  liar.on_loop([&](FakeNode& node) { node.tamper_page = lie.tell; });
  std::vector<NodeFault> reported;
  ClientOptions options;
  options.on_fault = [&](const NodeFault& fault) { reported.push_back(fault); };
  auto client = client_of({&liar, &honest}, options);
  auto all = read_all(client, 12);
  CHECK(all.size() == 12);
  CHECK(all[4] == "add 5");
  CHECK(only_fault(client) == std::string("n1 ") + lie.field);
  REQUIRE(reported.size() == 1);
  CHECK_FALSE(reported[0].what.empty());
  // It is not asked again.
  ReadOptions only;
  only.only_node = true;
  auto barred = client.read(only)->next(milliseconds(0));
  REQUIRE_FALSE(barred.ok());
  CHECK(barred.error().code == "node-lied");
}

TEST_CASE("With signatures checked, a request that its sender did not sign is caught") {
  Chain chain = grown(1, 1);
  auto request = *chain.request(2, "x");
  request.canonical[request.header_bytes - 1] ^= 1;
  Reader in(request.canonical);
  auto forged = read_request(in, chain.domain, chain.genesis.parameters.request_max_bytes);
  REQUIRE(forged);
  chain.append({forged});
  HttpFixture node(std::move(chain));
  auto trusting = client_of({&node});
  CHECK(read_all(trusting, 2).size() == 2);
  ClientOptions options;
  options.check_request_signatures = true;
  auto checking = client_of({&node}, options);
  CHECK_FALSE(checking.read({})->next(milliseconds(0)).ok());
  CHECK(only_fault(checking) == "n1 signature");
}

TEST_CASE("A page of what was read already is no answer") {
  HttpFixture liar(grown(2, 3)), honest(grown(2, 3));
  liar.on_loop([](FakeNode& node) {
    node.tamper_page = [&node](LogPage& page) {
      page.finalised = {node.chain.batches[0]};
      page.fc = node.chain.certificates[3];
    };
  });
  auto client = client_of({&liar, &honest});
  CHECK(read_all(client, 6).size() == 6);
  CHECK(only_fault(client) == "n1 batches");
}

TEST_CASE("A node that holds the log back is no fault, but others are asked") {
  HttpFixture behind(grown(1, 3)), ahead(grown(4, 3));
  auto client = client_of({&behind, &ahead});
  CHECK(read_all(client, 12).size() == 12);
  CHECK(client.faults().empty());
}

TEST_CASE("A dead node is left for another one, also in the middle") {
  auto dying = std::make_unique<HttpFixture>(grown(3, 3));
  HttpFixture living(grown(6, 3));
  auto client = client_of({dying.get(), &living});
  auto reader = client.read({});
  REQUIRE(reader->next(milliseconds(0))->requests.size() == 9);
  dying.reset();
  auto piece = reader->next(milliseconds(2'000));
  REQUIRE(piece.ok());
  CHECK(piece->first.value == 10);
  CHECK(piece->node == "n2");
}

TEST_CASE("All of a node's log is verified with progress, and the check can be stopped") {
  HttpFixture node(grown(30, 10));
  auto client = client_of({&node});
  std::uint64_t last = 0, target = 0, visited = 0;
  auto progress = [&](Index done, Index of) {
    CHECK(done.value > last);
    last = done.value;
    target = of.value;
    return true;
  };
  auto newest = client.verify_log(0, progress, [&](const LogEntries& piece) { visited += piece.requests.size(); });
  REQUIRE(newest.ok());
  CHECK((*newest)->point.index.value == 300);
  CHECK(last == 300);
  CHECK(target == 300);
  CHECK(visited == 300);
  auto stopped = client.verify_log(0, [](Index, Index) { return false; });
  REQUIRE_FALSE(stopped.ok());
  CHECK(stopped.error().code == "cancelled");

  HttpFixture empty;
  auto other = client_of({&empty});
  auto none = other.verify_log(0, {});
  REQUIRE(none.ok());
  CHECK(*none == nullptr);

  node.on_loop([](FakeNode& fake) { fake.tamper_page = [](LogPage& page) { page = LogPage(); }; });
  auto held_back = client.verify_log(0, {});
  REQUIRE_FALSE(held_back.ok());
  CHECK(only_fault(client) == "n1 log");
}
