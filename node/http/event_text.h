#pragma once
// Server-sent events as text: API.md, "Following". Safe on any thread. Included by .cpp files of this folder only: it
// brings in the JSON library.

#include <optional>
#include <string>
#include <string_view>

#include "node/http/json.h"

namespace zell {

/// One event, its data on one line. `id`: what a client resumes after.
[[nodiscard]] std::string event_text(std::string_view type, std::optional<Index> id, const Json& data);
/// Moves the place to resume after, without an event.
[[nodiscard]] std::string id_text(Index id);
/// What clients skip. What would end the line is shown as a space.
[[nodiscard]] std::string comment_text(std::string_view text);

/// What a client wants to see.
struct EventFilter {
  std::optional<std::string> app;
  std::optional<PublicKey> sender;
  bool certificates = true;

  [[nodiscard]] bool wants(const Request& request) const {
    return (!app || request.app == *app) && (!sender || request.sender == *sender);
  }
};

/// How far a page has been written.
struct PageCursor {
  std::size_t batch = 0, request = 0;
  bool done = false;
};

/// Writes what `page` has at `from` and above that the filter wants, from the cursor on, until there are `enough_bytes`
/// of it or the page ends: then with its certificate, or the id of its end. Never empty. REQUIRES: the page has a
/// batch, and the cursor is not done.
[[nodiscard]] std::string write_page(const LogPage& page, Index from, const EventFilter& filter, const Genesis& genesis,
                                     std::size_t enough_bytes, PageCursor& cursor);

}  // namespace zell
