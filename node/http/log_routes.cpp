// Reading the log: by the page, and as a stream of events.

#include "node/http/event_stream.h"
#include "node/http/route_call.h"
#include "node/http/routes.h"
#include "node/wire/codec.h"
#include "node/wire/request_codec.h"

namespace zell {

namespace {

bool accepts_binary(const HttpRequest& request) {
  return request.accept.find("application/octet-stream") != std::string::npos;
}

HttpResponse binary_page(LogPage page, Index from, Epoch epoch) {
  Chunk chunk;
  chunk.from = page.finalised.empty() ? Index{from.value - 1} : page.finalised.front()->header.parent().index;
  chunk.batches = std::move(page.finalised);
  chunk.fc = std::move(page.fc);
  auto bytes = encode_message(Message(std::move(chunk)), epoch);
  return {200, "application/octet-stream", std::string(as_text(bytes)), {}};
}

void answer_page(const ExchangePtr& exchange, const Offload& offload, bool binary, Index from, LogPage page) {
  bool large = bytes_of(page) > offload_bytes;
  auto response = std::make_shared<HttpResponse>();
  // Copies: the node may be gone when the work runs.
  auto encode = [response, binary, from, page = std::make_shared<LogPage>(std::move(page)),
                 genesis = std::make_shared<Genesis>(exchange->node().genesis()),
                 epoch = exchange->node().domain().epoch] {
    *response = binary ? binary_page(std::move(*page), from, epoch) : json_response(json_of(*page, from, *genesis));
  };
  auto answer = [response, exchange] { exchange->answer(std::move(*response)); };
  if (large) return offload(encode, answer);
  encode();
  answer();
}

/// The first index that a follower wants: after what it has seen last, or what its URL says.
Index first_event(Params& params, const HttpRequest& request, const NodeApi& node) {
  constexpr auto last_index = UINT64_MAX - 1;
  const auto* text = params.find("from");
  // A browser comes back with the URL that it began with, and with this header.
  if (!request.last_event_id.empty()) {
    auto last = parse_decimal(request.last_event_id);
    if (last && *last < last_index) return {*last + 1};
    params.fail("Last-Event-ID", request.last_event_id, "the id of an event: a whole number");
  } else if (text && *text == "end") {
    auto certificate = node.certificate();
    return certificate ? certificate->point.index.next() : Index{1};
  }
  return {params.number("from", 1, 1, last_index)};
}

EventFilter event_filter(Params& params) {
  EventFilter filter;
  filter.certificates = params.flag("certificates", true);
  if (const auto* app = params.find("app")) {
    filter.app = *app;
    if (!is_app(*app)) params.fail("app", *app, "1 to 32 of a-z, 0-9, _ and -");
  }
  if (const auto* sender = params.find("sender")) {
    filter.sender = fixed_from_hex<PublicKey>(*sender);
    if (!filter.sender) params.fail("sender", *sender, "a compressed public key: 33 bytes in hexadecimal");
  }
  return filter;
}

}  // namespace

void get_log(const Call& call) {
  Params params(*call.request, {"from", "max_bytes", "unfinalised", "wait_ms"});
  LogQuery query;
  query.from = {params.number("from", 1, 1, UINT64_MAX - 1)};
  query.max_bytes = params.number("max_bytes", default_page_bytes, 1, max_page_bytes);
  query.unfinalised = params.flag("unfinalised");
  query.timeout = params.milliseconds("wait_ms", std::chrono::milliseconds(0), max_wait);
  if (!good(params, call)) return;
  bool binary = accepts_binary(*call.request);
  if (binary && query.unfinalised) {
    return answer_error(call.exchange, 400,
                        {"bad-parameter", "unfinalised=1 is not allowed with Accept: application/octet-stream",
                         "ask for JSON, or leave it out: the binary form carries what a certificate covers"});
  }
  auto answer = [exchange = call.exchange, offload = call.offload, binary, from = query.from](Result<LogPage> page) {
    if (!page) return answer_node_error(exchange, page.error());
    answer_page(exchange, offload, binary, from, std::move(*page));
  };
  call.exchange->waits_for(call.exchange->node().read_log(query, std::move(answer)));
}

void get_events(const Call& call) {
  Params params(*call.request, {"from", "app", "sender", "certificates"});
  auto& node = call.exchange->node();
  auto from = first_event(params, *call.request, node);
  auto filter = event_filter(params);
  if (!good(params, call)) return;
  HttpResponse response;
  response.content_type = "text/event-stream";
  response.stream = std::make_shared<EventStream>(node, call.offload, from, std::move(filter));
  call.exchange->answer(std::move(response));
}

}  // namespace zell
