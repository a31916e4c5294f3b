#pragma once
// What the handlers of the routes share: one call, and ways to answer it. Included by .cpp files of this folder only:
// it brings in the JSON library.

#include <memory>
#include <optional>
#include <string>

#include "node/http/json.h"
#include "node/http/message.h"
#include "node/http/params.h"

namespace zell {

struct Call {
  std::shared_ptr<const HttpRequest> request;
  ExchangePtr exchange;
  const Offload& offload;
  std::string id;  ///< the {id} of the path, if the route has one
};

[[nodiscard]] HttpResponse json_response(const Json& json, unsigned status = 200);
void answer_error(const ExchangePtr& exchange, unsigned status, const Error& error,
                  std::chrono::milliseconds retry_after = {});
/// An error of the node, with the status that belongs to it.
void answer_node_error(const ExchangePtr& exchange, const Error& error);
/// Reads the parameters and answers with what is wrong with them; true if they are good.
[[nodiscard]] bool good(const Params& params, const Call& call);
/// The request id of the path; answers with what is wrong with it.
[[nodiscard]] std::optional<RequestId> path_id(const Call& call);

/// A callback for the node that answers with what it gives, or with its error.
template <class T, class Show>
auto replying(const ExchangePtr& exchange, Show show) {
  return [exchange, show](Result<T> result) {
    if (!result) return answer_node_error(exchange, result.error());
    exchange->answer(show(*result));
  };
}

// ---- Handlers, by the file that they are in

// log_routes.cpp
void get_log(const Call& call);
void get_events(const Call& call);

// proof_routes.cpp
void get_request_proof(const Call& call);
void get_inclusion(const Call& call);
void get_consistency(const Call& call);
void get_certificate(const Call& call);
void get_evidence(const Call& call);

}  // namespace zell
