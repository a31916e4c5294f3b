#pragma once
// The API's routes: what each takes and answers. API.md is their description for users.

#include <memory>

#include "node/http/message.h"

namespace zell {

inline constexpr std::chrono::milliseconds max_wait{60'000};
inline constexpr std::chrono::milliseconds default_wait{10'000};
/// Bounds of one page of the log, in canonical bytes; a page may pass it to reach its certificate.
inline constexpr std::size_t default_page_bytes = 1 << 20, max_page_bytes = 4 << 20;
/// Of GET /v1/events: a page read for one client, passed only to reach a certificate; its text that is made at a time,
/// passed by at most one request; and how soon a client that was cut off should come back.
inline constexpr std::size_t stream_page_bytes = 256 << 10, stream_text_bytes = 64 << 10;
inline constexpr std::chrono::milliseconds stream_retry{1'000};
/// Of GET /v1/evidence: what comes later in the list is given without its bytes.
inline constexpr std::size_t max_evidence_chars = 16 << 20;
/// Bodies and pages above this are decoded and encoded off the loop.
inline constexpr std::size_t offload_bytes = 4 << 10;

struct RouteName {
  std::string_view method, path;  ///< {id}: one segment of the path
};
/// All of them. Literals.
[[nodiscard]] std::vector<RouteName> route_names();
/// The path of the route that `path` is of; "other" if there is none.
[[nodiscard]] std::string_view route_label(std::string_view path);

/// Refuses what no route takes (404, 405 with Allow, 415) from the head alone, before a body is read.
[[nodiscard]] std::optional<HttpResponse> refuse_head(const HttpRequest& head);

/// Answers `exchange`, now or later. REQUIRES: refuse_head(request) is nullopt.
void handle_request(const std::shared_ptr<const HttpRequest>& request, const ExchangePtr& exchange,
                    const Offload& offload);

}  // namespace zell
