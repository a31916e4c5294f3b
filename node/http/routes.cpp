#include "node/http/routes.h"

#include <algorithm>
#include <array>

#include "node/http/json.h"
#include "node/http/metrics_route.h"
#include "node/http/openapi.h"
#include "node/http/params.h"
#include "node/http/submit_body.h"
#include "node/wire/codec.h"

namespace zell {

namespace {

using RequestHead = std::shared_ptr<const HttpRequest>;

struct Call {
  RequestHead request;
  ExchangePtr exchange;
  const Offload& offload;
  std::string id;  ///< the {id} of the path, if the route has one
};

HttpResponse json_response(const Json& json, unsigned status = 200) {
  return {status, "application/json", dump(json), {}};
}

void answer_error(const ExchangePtr& exchange, unsigned status, const Error& error,
                  std::chrono::milliseconds retry_after = {}) {
  exchange->answer(error_response(status, error, retry_after));
}

void answer_node_error(const ExchangePtr& exchange, const Error& error) {
  auto status = status_of(error.code);
  answer_error(exchange, status, error, std::chrono::seconds(status == 429 || status == 503 ? 1 : 0));
}

/// A callback for the node that answers with what it gives, or with its error.
template <class T, class Show>
auto replying(const ExchangePtr& exchange, Show show) {
  return [exchange, show](Result<T> result) {
    if (!result) return answer_node_error(exchange, result.error());
    exchange->answer(show(*result));
  };
}

bool accepts_binary(const HttpRequest& request) {
  return request.accept.find("application/octet-stream") != std::string::npos;
}

/// Reads the parameters and answers with what is wrong with them; true if they are good.
bool good(const Params& params, const Call& call) {
  if (params.error()) answer_error(call.exchange, 400, *params.error());
  return !params.error();
}

std::optional<RequestId> path_id(const Call& call) {
  auto id = fixed_from_hex<RequestId>(call.id);
  if (!id) {
    answer_error(call.exchange, 400,
                 {"bad-request", "the request id in the path is not 32 bytes in hexadecimal",
                  "use the id that POST /v1/requests answered with"});
  }
  return id;
}

// ---- Submitting

/// Requests refused while they were read, and where the answers for the others go.
struct Submission {
  std::vector<RequestReport> reports;
  std::vector<std::size_t> sent;  ///< positions in `reports` of the requests that the node was given
};

/// A code that all refused requests share, if every request was refused for a passing reason.
std::optional<Error> refused_as_a_whole(const std::vector<RequestReport>& reports) {
  const auto& first = reports.front();
  auto status = status_of(first.reason);
  if (status != 429 && status != 503) return std::nullopt;
  bool alike = std::all_of(reports.begin(), reports.end(), [&](const auto& report) {
    return report.state == RequestState::refused && report.reason == first.reason;
  });
  if (!alike) return std::nullopt;
  return Error{first.reason, "this node takes in no requests now: " + first.reason,
               first.hint.empty() ? "try again later, or another node" : first.hint};
}

void answer_submission(const ExchangePtr& exchange, Submission& submission, SubmitReply reply) {
  constexpr std::chrono::milliseconds default_retry{1'000};
  auto retry = reply.retry_after.count() > 0 ? reply.retry_after : default_retry;
  if (reply.error) return answer_error(exchange, status_of(reply.error->code), *reply.error, retry);
  ZELL_CHECK(reply.results.size() == submission.sent.size());
  for (std::size_t i = 0; i < submission.sent.size(); ++i) {
    submission.reports[submission.sent[i]] = std::move(reply.results[i]);
  }
  if (auto error = refused_as_a_whole(submission.reports)) {
    return answer_error(exchange, status_of(error->code), *error, retry);
  }
  auto results = Json::array();
  for (const auto& report : submission.reports) results.push_back(json_of(report));
  exchange->answer(json_response({{"schema", json_schema}, {"results", std::move(results)}}));
}

void submit_decoded(const ExchangePtr& exchange, Result<std::vector<SubmittedRequest>> decoded, RequestState wait,
                    std::chrono::milliseconds timeout) {
  if (!exchange->open()) return;
  if (!decoded) {
    bool large = decoded.error().code == "too-many-requests" || decoded.error().code == "request-too-large";
    return answer_error(exchange, large ? 413 : 400, decoded.error());
  }
  auto submission = std::make_shared<Submission>();
  submission->reports.resize(decoded->size());
  SubmitCall call{{}, wait, timeout};
  for (std::size_t i = 0; i < decoded->size(); ++i) {
    auto& one = (*decoded)[i];
    if (one.request) {
      call.requests.push_back(std::move(one.request));
      submission->sent.push_back(i);
    } else {
      exchange->node().note_unreadable(one.refusal.code);
      submission->reports[i].state = RequestState::refused;
      submission->reports[i].reason = one.refusal.code;
      submission->reports[i].hint = one.refusal.hint;
    }
  }
  if (call.requests.empty()) return answer_submission(exchange, *submission, {});
  exchange->waits_for(exchange->node().submit(std::move(call), [exchange, submission](SubmitReply reply) {
    answer_submission(exchange, *submission, std::move(reply));
  }));
}

void post_requests(const Call& call) {
  Params params(*call.request, {"wait", "timeout_ms"});
  auto wait = params.state("wait", RequestState::initialised);
  auto timeout = params.milliseconds("timeout_ms", default_wait, max_wait);
  if (!good(params, call)) return;

  using Decoded = std::optional<Result<std::vector<SubmittedRequest>>>;
  auto decoded = std::make_shared<Decoded>();
  // Copies: the node may be gone when the work runs.
  auto decode = [decoded, request = call.request, domain = call.exchange->node().domain(),
                 parameters = call.exchange->node().genesis().parameters] {
    bool binary = request->content_type == "application/octet-stream";
    decoded->emplace(binary ? read_binary_requests(request->body, domain, parameters)
                            : read_json_requests(request->body, domain, parameters, secp256k1_scheme()));
  };
  auto submit = [decoded, exchange = call.exchange, wait, timeout] {
    submit_decoded(exchange, std::move(**decoded), wait, timeout);
  };
  if (call.request->body.size() > offload_bytes) return call.offload(decode, submit);
  decode();
  submit();
}

void get_request(const Call& call) {
  Params params(*call.request, {"wait", "timeout_ms"});
  auto wait = params.state("wait", RequestState::unknown);
  auto timeout = params.milliseconds("timeout_ms", default_wait, max_wait);
  if (!good(params, call)) return;
  auto id = path_id(call);
  if (!id) return;
  auto show = [](const RequestReport& report) {
    if (report.state == RequestState::unknown) {
      return error_response(404, {"unknown-request", "this node knows no request with that id",
                                  "submit it (again): the same signed request enters the log once"});
    }
    Json json{{"schema", json_schema}};
    json.update(json_of(report));
    return json_response(json);
  };
  auto& exchange = call.exchange;
  exchange->waits_for(exchange->node().lookup(*id, wait, timeout, replying<RequestReport>(exchange, show)));
}

// ---- Reading

HttpResponse binary_page(LogPage page, Index from, Epoch epoch) {
  Chunk chunk;
  chunk.from = page.finalised.empty() ? Index{from.value - 1} : page.finalised.front()->header.parent().index;
  chunk.batches = std::move(page.finalised);
  chunk.fc = std::move(page.fc);
  auto bytes = encode_message(Message(std::move(chunk)), epoch);
  return {200, "application/octet-stream", std::string(as_text(bytes)), {}};
}

std::size_t bytes_of(const LogPage& page) {
  std::size_t total = 0;
  for (const auto& batch : page.finalised) total += batch->request_bytes;
  for (const auto& batch : page.unfinalised) total += batch->request_bytes;
  return total;
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

void prove_inclusion(const Call& call, std::variant<Index, RequestId> what) {
  auto show = [exchange = call.exchange.get()](const InclusionProof& proof) {
    return json_response(json_of(proof, exchange->node().genesis()));
  };
  call.exchange->waits_for(call.exchange->node().prove(what, replying<InclusionProof>(call.exchange, show)));
}

void get_request_proof(const Call& call) {
  Params params(*call.request, {});
  if (!good(params, call)) return;
  if (auto id = path_id(call)) prove_inclusion(call, *id);
}

void get_inclusion(const Call& call) {
  Params params(*call.request, {"index"});
  auto index = params.number("index", 0, 1, UINT64_MAX);
  if (!good(params, call)) return;
  if (index == 0) {
    return answer_error(call.exchange, 400, {"bad-parameter", "index is missing", "add ?index=N, N from 1"});
  }
  prove_inclusion(call, Index{index});
}

void get_consistency(const Call& call) {
  Params params(*call.request, {"first", "second"});
  Index first{params.number("first", 0, 1, UINT64_MAX)};
  Index second{params.number("second", 0, 1, UINT64_MAX)};
  if (!good(params, call)) return;
  if (first.value == 0 || (second.value != 0 && second < first)) {
    return answer_error(call.exchange, 400,
                        {"bad-parameter", "first must be given, and not be above second",
                         "?first=N&second=M, 1 <= N <= M; second is the newest certificate's index by default"});
  }
  auto show = [exchange = call.exchange.get()](const ConsistencyProof& proof) {
    return json_response(json_of(proof, exchange->node().genesis()));
  };
  auto done = replying<ConsistencyProof>(call.exchange, show);
  call.exchange->waits_for(call.exchange->node().prove_consistency(first, second, std::move(done)));
}

void get_certificate(const Call& call) {
  Params params(*call.request, {});
  if (!good(params, call)) return;
  auto& node = call.exchange->node();
  auto certificate = node.certificate();
  call.exchange->answer(json_response(
      {{"schema", json_schema}, {"certificate", certificate ? json_of(*certificate, node.genesis()) : Json()}}));
}

void get_genesis(const Call& call) {
  Params params(*call.request, {});
  if (!good(params, call)) return;
  auto& node = call.exchange->node();
  call.exchange->answer(json_response(json_of(node.genesis(), node.domain())));
}

void get_status(const Call& call) {
  Params params(*call.request, {});
  if (!good(params, call)) return;
  auto& node = call.exchange->node();
  call.exchange->answer(json_response(json_of(node.status(), node.genesis())));
}

HttpResponse evidence_response(const std::vector<EvidencePtr>& all, const Genesis& genesis) {
  auto list = Json::array();
  std::size_t total = 0;
  for (const auto& one : all) {
    auto entry = json_of(*one, genesis);
    total += entry["encoded"].get_ref<const std::string&>().size();
    if (total > max_evidence_chars) entry["encoded"] = nullptr;
    list.push_back(std::move(entry));
  }
  return json_response({{"schema", json_schema}, {"evidence", std::move(list)}});
}

void get_evidence(const Call& call) {
  Params params(*call.request, {});
  if (!good(params, call)) return;
  auto done = [exchange = call.exchange, offload = call.offload](Result<std::vector<EvidencePtr>> all) {
    if (!all) return answer_node_error(exchange, all.error());
    auto response = std::make_shared<HttpResponse>();
    // Copies: the node may be gone when the work runs.
    auto encode = [response, all = std::move(*all), genesis = exchange->node().genesis()] {
      *response = evidence_response(all, genesis);
    };
    offload(encode, [response, exchange] { exchange->answer(std::move(*response)); });
  };
  call.exchange->waits_for(call.exchange->node().read_evidence(std::move(done)));
}

void answer_health(const Call& call, bool Health::* good_if, std::string_view code) {
  Params params(*call.request, {});
  if (!good(params, call)) return;
  auto health = call.exchange->node().health();
  if (!(health.*good_if)) {
    return answer_error(call.exchange, 503, {std::string(code), health.reason, "GET /v1/status tells more"},
                        std::chrono::seconds(1));
  }
  call.exchange->answer(json_response({{"schema", json_schema}, {"healthy", health.healthy}, {"ready", health.ready}}));
}

void get_healthz(const Call& call) {
  answer_health(call, &Health::healthy, "unhealthy");
}
void get_readyz(const Call& call) {
  answer_health(call, &Health::ready, "not-ready");
}

void get_metrics(const Call& call) {
  Params params(*call.request, {});
  if (good(params, call)) call.exchange->answer(metrics_response(*call.exchange));
}
void get_openapi(const Call& call) {
  Params params(*call.request, {});
  if (good(params, call)) call.exchange->answer({200, "application/json", std::string(openapi_document()), {}});
}

// ---- The table

struct Route {
  std::string_view method, path;  ///< {id}: one segment of the path
  void (*handle)(const Call&);
};

constexpr std::array routes{
    Route{"POST", "/v1/requests", post_requests},
    Route{"GET", "/v1/requests/{id}", get_request},
    Route{"GET", "/v1/requests/{id}/proof", get_request_proof},
    Route{"GET", "/v1/log", get_log},
    Route{"GET", "/v1/proof/inclusion", get_inclusion},
    Route{"GET", "/v1/proof/consistency", get_consistency},
    Route{"GET", "/v1/certificate", get_certificate},
    Route{"GET", "/v1/genesis", get_genesis},
    Route{"GET", "/v1/status", get_status},
    Route{"GET", "/v1/evidence", get_evidence},
    Route{"GET", "/v1/openapi.json", get_openapi},
    Route{"GET", "/metrics", get_metrics},
    Route{"GET", "/healthz", get_healthz},
    Route{"GET", "/readyz", get_readyz},
};

/// The {id} of the path ("" if the pattern has none), or nullopt if the path is another.
std::optional<std::string> match(std::string_view pattern, std::string_view path) {
  constexpr std::string_view hole = "{id}";
  auto at = pattern.find(hole);
  if (at == std::string_view::npos) return path == pattern ? std::optional<std::string>("") : std::nullopt;
  auto before = pattern.substr(0, at), after = pattern.substr(at + hole.size());
  if (path.size() <= before.size() + after.size() || !path.starts_with(before) || !path.ends_with(after)) {
    return std::nullopt;
  }
  auto id = path.substr(before.size(), path.size() - before.size() - after.size());
  if (id.find('/') != std::string_view::npos) return std::nullopt;
  return std::string(id);
}

const Route* find_route(std::string_view path, std::string& id) {
  for (const auto& route : routes) {
    if (auto matched = match(route.path, path)) {
      id = std::move(*matched);
      return &route;
    }
  }
  return nullptr;
}

}  // namespace

std::vector<RouteName> route_names() {
  std::vector<RouteName> out;
  for (const auto& route : routes) out.push_back({route.method, route.path});
  return out;
}

std::string_view route_label(std::string_view path) {
  std::string id;
  const auto* route = find_route(path, id);
  return route ? route->path : "other";
}

std::optional<HttpResponse> refuse_head(const HttpRequest& head) {
  std::string id;
  const auto* route = find_route(head.path, id);
  if (!route) {
    return error_response(404, {"unknown-route", "there is nothing at this path", "node/http/API.md lists the routes"});
  }
  if (head.method != route->method) {
    auto response = error_response(
        405, {"method-not-allowed", std::string(route->path) + " takes only " + std::string(route->method), ""});
    response.headers.emplace_back("Allow", route->method);
    return response;
  }
  bool readable = head.content_type == "application/json" || head.content_type == "application/octet-stream";
  if (route->method == "POST" && !readable) {
    return error_response(
        415, {"unsupported-type", "the body must be application/json or application/octet-stream", "set Content-Type"});
  }
  return std::nullopt;
}

void handle_request(const RequestHead& request, const ExchangePtr& exchange, const Offload& offload) {
  std::string id;
  const auto* route = find_route(request->path, id);
  ZELL_CHECK(route != nullptr);
  route->handle(Call{request, exchange, offload, std::move(id)});
}

}  // namespace zell
