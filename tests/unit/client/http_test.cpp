// The HTTP helper, and reading of JSON answers.

#include "client/http.h"

#include "client/answers.h"
#include "tests/unit/client/client_fixture.h"

using namespace zell;
using namespace zell::testing;

TEST_CASE("Answers, errors in JSON, and no answer at all are told apart") {
  HttpFixture node;
  HttpClient http;
  auto reply = http.get(node.url() + "/healthz");
  REQUIRE(reply.ok());
  CHECK(reply->status == 200);
  CHECK(reply->content_type == "application/json");

  reply = http.get(node.url() + "/nowhere");
  REQUIRE(reply.ok());
  CHECK(reply->status == 404);
  auto checked = expect_ok(std::move(reply));
  REQUIRE_FALSE(checked.ok());
  CHECK(checked.error().code == "unknown-route");
  CHECK_FALSE(checked.error().hint.empty());

  node.on_loop([](FakeNode& fake) {
    fake.refuse_all = Error{"busy", "full", "wait"};
    fake.refuse_retry = milliseconds(3'000);
  });
  Chain chain;
  HttpCall call;
  call.content_type = "application/octet-stream";
  reply = http.post(node.url() + "/v1/requests", as_text(chain.request(1, "x")->canonical), call);
  REQUIRE(reply.ok());
  CHECK(reply->status == 429);
  CHECK(reply->retry_after == std::chrono::seconds(3));

  auto not_ours = expect_ok(HttpReply{502, "text/html", "<html>", {}});
  REQUIRE_FALSE(not_ours.ok());
  CHECK(not_ours.error().code == "http-error");

  CHECK(http.get("http://127.0.0.1:1/").error().code == "unreachable");
  CHECK(http.get("http://").error().code == "bad-url");
  CHECK(http.get("file:///etc/hostname").error().code == "bad-url");
  call.timeout = milliseconds(50);
  CHECK(http.get(node.url() + "/v1/log?wait_ms=5000", call).error().code == "timed-out");
  call.timeout = milliseconds(5'000);
  call.max_reply_bytes = 10;
  CHECK(http.get(node.url() + "/v1/status", call).error().code == "too-large");
  CHECK(http_get(node.url() + "/healthz", milliseconds(1'000))->status == 200);
  http.cancel();
  CHECK(http.get(node.url() + "/healthz").error().code == "cancelled");
}

TEST_CASE("JSON answers that lack something, or have it wrong, name the field") {
  auto hash = "\"0x" + std::string(64, '0') + "\"";
  CHECK(read_submit_answer("").error().code == "body");
  CHECK(read_submit_answer("[]").error().code == "body");
  CHECK(read_submit_answer("{}").error().code == "results");
  CHECK(read_submit_answer("{\"results\":{}}").error().code == "results");
  CHECK(read_submit_answer("{\"results\":[{}]}").error().code == "state");
  CHECK(read_submit_answer("{\"results\":[{\"state\":\"great\"}]}").error().code == "state");
  CHECK(read_submit_answer("{\"results\":[{\"state\":\"locked\",\"id\":\"0x00\"}]}").error().code == "id");
  CHECK(read_submit_answer("{\"results\":[{\"state\":\"locked\",\"id\":" + hash + ",\"index\":-1}]}").error().code ==
        "index");
  CHECK(read_submit_answer("{\"results\":[{\"state\":\"locked\",\"id\":" + hash + ",\"index\":9}]}")->front().index ==
        Index{9});
  CHECK(read_lookup_answer("{\"state\":7}").error().code == "state");
  CHECK(read_certificate_answer("{}").error().code == "certificate");
  CHECK_FALSE(read_certificate_answer("{\"certificate\":null}")->has_value());
  CHECK(read_certificate_answer("{\"certificate\":{\"phase\":\"lock\"}}").error().code == "certificate");
  CHECK(read_certificate_answer("{\"certificate\":{\"phase\":\"final\",\"view\":0,\"index\":1,\"root\":" + hash +
                                ",\"signatures\":[{\"node\":9999}]}}")
            .error()
            .code == "certificate");
  CHECK(read_consistency_answer("{\"first\":1}").error().code != "");
  Chain chain;
  CHECK(read_inclusion_answer("{\"index\":1,\"path\":[\"zz\"]}", chain.domain).error().code == "path");
}
