#include "node/http/routes.h"

#include <algorithm>
#include <array>

#include "node/http/json.h"
#include "node/http/metrics_route.h"
#include "node/http/openapi.h"
#include "node/http/params.h"
#include "node/http/route_call.h"
#include "node/http/submit_body.h"

namespace zell {

namespace {

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

// ---- The state of the node

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

void get_peers(const Call& call) {
  Params params(*call.request, {});
  if (!good(params, call)) return;
  auto status = call.exchange->node().status();
  call.exchange->answer(json_response({{"schema", json_schema}, {"peers", json_of(status.peers)}}));
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
    Route{"GET", "/v1/events", get_events},
    Route{"GET", "/v1/proof/inclusion", get_inclusion},
    Route{"GET", "/v1/proof/consistency", get_consistency},
    Route{"GET", "/v1/certificate", get_certificate},
    Route{"GET", "/v1/genesis", get_genesis},
    Route{"GET", "/v1/status", get_status},
    Route{"GET", "/v1/peers", get_peers},
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

void handle_request(const std::shared_ptr<const HttpRequest>& request, const ExchangePtr& exchange,
                    const Offload& offload) {
  std::string id;
  const auto* route = find_route(request->path, id);
  ZELL_CHECK(route != nullptr);
  route->handle(Call{request, exchange, offload, std::move(id)});
}

}  // namespace zell
