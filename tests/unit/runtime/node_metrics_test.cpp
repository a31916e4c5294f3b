// What a node counts of its events, and of its clients' requests.

#include "node/runtime/node_metrics.h"

#include "tests/unit/runtime/node_fixture.h"

using namespace zell;

namespace {

std::string written(const NodeCounters& counters) {
  MetricsText out;
  counters.write(out);
  return out.text();
}

std::string written(const NodeApi& api) {
  MetricsText out;
  api.write_metrics(out);
  return out.text();
}

bool has(const std::string& text, const std::string& line) {
  return text.find("\n" + line + "\n") != std::string::npos;
}

}  // namespace

TEST_CASE("a view is counted once, when it is moved to, with the reason that most gave") {
  NodeCounters counters;
  counters.start_in({3});
  counters.on_view_changed({{3}, {}, true, {}}, {});  // it was in it when it started
  CHECK(has(written(counters), R"(zell_view_changes_total{reason="told"} 0)"));
  const std::vector<Complaint> because{{{0}, Reason::unresponsive}, {{1}, Reason::censored}, {{2}, Reason::censored}};
  counters.on_view_changed({{4}, {}, false, {}}, because);
  counters.on_view_changed({{4}, {}, true, {}}, because);
  counters.on_view_changed({{9}, {}, true, {}}, {});  // others had left 4 to 8
  const auto text = written(counters);
  CHECK(has(text, R"(zell_view_changes_total{reason="censored"} 1)"));
  CHECK(has(text, R"(zell_view_changes_total{reason="told"} 1)"));
  CHECK(has(text, "zell_views_entered_total 3"));
}

TEST_CASE("only what was submitted here counts as taken in, and how long it took is noted") {
  NodeCounters counters;
  RequestUpdate update{{}, RequestState::sequenced, {1}, {0}, {}, {}};
  counters.on_event(update);
  update.state = RequestState::finalised;
  update.since_taken = std::chrono::milliseconds(30);
  counters.on_event(update);
  counters.on_refused_message("bad-signature");
  counters.on_refused_message("what no code is");
  const auto text = written(counters);
  CHECK(has(text, "zell_requests_finalised_total 1"));
  CHECK(has(text, R"(zell_request_finality_seconds_bucket{le="0.025"} 0)"));
  CHECK(has(text, R"(zell_request_finality_seconds_bucket{le="0.05"} 1)"));
  CHECK(has(text, R"(zell_refused_messages_total{code="bad-signature"} 1)"));
  CHECK(has(text, R"(zell_refused_messages_total{code="other"} 1)"));
}

TEST_CASE("a refusal is counted as its client was told, and one that is final already is none") {
  TestCluster cluster(1);
  cluster.start_all();
  const auto first = cluster.request(1, "first");
  CHECK(cluster.submit(0, {first}).results.front().state == RequestState::finalised);
  CHECK(cluster.submit(0, {first}).results.front().state == RequestState::finalised);
  CHECK(has(written(cluster.api(0)), R"(zell_requests_refused_total{reason="duplicate"} 0)"));
  CHECK(cluster.submit(0, {cluster.request(1, "second")}).results.front().reason == "duplicate");
  auto badly_signed = std::make_shared<Request>(*cluster.request(2, "third"));
  badly_signed->signature.bytes[7] ^= 1;
  CHECK(cluster.submit(0, {badly_signed}).results.front().reason == "bad-signature");
  cluster.api(0).note_unreadable("bad-signature");
  const auto text = written(cluster.api(0));
  CHECK(has(text, R"(zell_requests_refused_total{reason="duplicate"} 1)"));
  CHECK(has(text, R"(zell_requests_refused_total{reason="bad-signature"} 2)"));
  CHECK(has(text, "zell_requests_taken_in_total 1"));
  CHECK(has(text, "zell_requests_finalised_total 1"));
  CHECK(has(text, "zell_finalised_index 1"));
  CHECK(has(text, R"(zell_node_info{node="n1",cluster="test",cluster_id=")" +
                      to_hex0x(cluster.domain().cluster.view()) + R"("} 1)"));
}
