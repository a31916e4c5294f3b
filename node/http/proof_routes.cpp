// What proves something to who believes no node: proofs, certificates, evidence.

#include "node/http/route_call.h"
#include "node/http/routes.h"

namespace zell {

namespace {

void prove_inclusion(const Call& call, std::variant<Index, RequestId> what) {
  auto show = [exchange = call.exchange.get()](const InclusionProof& proof) {
    return json_response(json_of(proof, exchange->node().genesis()));
  };
  call.exchange->waits_for(call.exchange->node().prove(what, replying<InclusionProof>(call.exchange, show)));
}

}  // namespace

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
  Params params(*call.request, {"at"});
  Index at{params.number("at", 0, 1, UINT64_MAX - 1)};
  if (!good(params, call)) return;
  auto show = [exchange = call.exchange.get()](const std::optional<Certificate>& certificate) {
    return json_response({{"schema", json_schema},
                          {"certificate", certificate ? json_of(*certificate, exchange->node().genesis()) : Json()}});
  };
  if (!params.has("at")) return call.exchange->answer(show(call.exchange->node().certificate()));
  LogQuery query;
  query.from = at;
  query.max_bytes = 1;  // up to the first certificate
  auto done = replying<LogPage>(call.exchange, [at, show](const LogPage& page) {
    if (page.fc) return show(page.fc);
    return error_response(409, {"not-final", "nothing is final at index " + std::to_string(at.value) + " yet",
                                "GET /v1/certificate has the newest certificate"});
  });
  call.exchange->waits_for(call.exchange->node().read_log(query, std::move(done)));
}

namespace {

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

}  // namespace

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

}  // namespace zell
