// A request as the HTTP library hands it over, and what guards it: METHOD PATH?QUERY, then a line each for
// Content-Type, Accept (and Last-Event-ID after a tab), Host and Origin, then the body. Every request is answered at
// once or waits, and each answer is whole.

#include <nlohmann/json.hpp>

#include "node/http/guards.h"
#include "node/http/routes.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/support/event_parser.h"
#include "tests/support/fake_node.h"

namespace {

using namespace zell;

testing::FakeNode& node() {
  static auto* loop = [] {
    auto* made = new uv_loop_t;
    ZELL_CHECK(uv_loop_init(made) == 0);
    return made;
  }();
  static auto* out = [] {  // for the life of the process, as the loop is
    testing::Chain chain;
    chain.grow(3, 2);
    chain.append({chain.request(100, "not final")}, false);
    return new testing::FakeNode(loop, std::move(chain));
  }();
  return *out;
}

std::string_view cut(std::string_view& text, char at) {
  const auto end = text.find(at);
  const auto out = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return out;
}

HttpRequest read_head(std::string_view& text) {
  HttpRequest out;
  auto line = cut(text, '\n');
  out.method = cut(line, ' ');
  out.path = cut(line, '?');
  while (!line.empty()) {
    auto pair = cut(line, '&');
    const auto name = cut(pair, '=');
    out.query.emplace_back(name, pair);
  }
  out.content_type = cut(text, '\n');
  line = cut(text, '\n');
  out.accept = cut(line, '\t');
  out.last_event_id = line;
  return out;
}

/// What a client can read at once of a stream: whole events, and nothing else.
void check_stream(BodyStream& stream) {
  testing::EventParser parser;
  char bytes[999];
  for (std::size_t taken = 0; taken < 1'000'000;) {
    auto some = stream.take(bytes, sizeof bytes);
    if (some == 0) break;
    parser.feed({bytes, some});
    taken += some;
  }
  ZELL_CHECK(parser.retry == "1000" && parser.unknown_fields == 0);
  for (const auto& event : parser.events) ZELL_CHECK(nlohmann::json::accept(event.data));
}

void check_answer(const HttpResponse& response) {
  if (response.stream) check_stream(*response.stream);
  ZELL_CHECK(response.status >= 200 && response.status < 600);
  if (response.content_type != "application/json") return;
  const auto json = nlohmann::json::parse(response.body, nullptr, false);
  if (json.is_object() && json.contains("openapi")) return;  // of a form that is not ours
  ZELL_CHECK(json.is_object() && json.at("schema") == 1);
  ZELL_CHECK((response.status == 200) != json.contains("error"));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto text = as_text({data, size});
  auto request = read_head(text);
  const auto host = cut(text, '\n'), origin = cut(text, '\n');
  (void)check_caller(host, std::string(origin), {"node.example"});
  (void)host_name(host);
  request.body = text;
  if (auto refused = refuse_head(request)) {
    check_answer(*refused);
    return 0;
  }
  int answers = 0;
  static const HttpCounters counters{};
  auto exchange = std::make_shared<Exchange>(node(), counters, [&](const HttpResponse& response) {
    ++answers;
    check_answer(response);
  });
  const Offload at_once = [](const std::function<void()>& work, const std::function<void()>& done) {
    work();
    done();
  };
  handle_request(std::make_shared<const HttpRequest>(std::move(request)), exchange, at_once);
  ZELL_CHECK(answers == (exchange->open() ? 0 : 1));
  exchange->cancel();
  node().taken.clear();
  return 0;
}
