#include "node/http/event_text.h"

namespace zell {

std::string event_text(std::string_view type, std::optional<Index> id, const Json& data) {
  std::string out("event: ");
  out += type;
  if (id) out += "\nid: " + std::to_string(id->value);
  // The JSON writer escapes every line end inside; dump() ends the line.
  return out + "\ndata: " + dump(data) + "\n";
}

std::string id_text(Index id) {
  return "id: " + std::to_string(id.value) + "\n\n";
}

std::string comment_text(std::string_view text) {
  std::string out(": ");
  for (char c : text) out += c == '\n' || c == '\r' ? ' ' : c;
  return out + "\n\n";
}

std::string write_page(const LogPage& page, Index from, const EventFilter& filter, const Genesis& genesis,
                       std::size_t enough_bytes, PageCursor& cursor) {
  std::string out;
  for (; cursor.batch < page.finalised.size(); ++cursor.batch, cursor.request = 0) {
    const auto& batch = *page.finalised[cursor.batch];
    for (; cursor.request < batch.requests->size(); ++cursor.request) {
      if (out.size() >= enough_bytes) return out;
      Index index{batch.header.first.value + cursor.request};
      const auto& request = *(*batch.requests)[cursor.request];
      if (index < from || !filter.wants(request)) continue;
      out += event_text("request", index, json_of(request, index, batch.header.view, RequestState::finalised));
    }
  }
  cursor.done = true;
  if (filter.certificates && page.fc) {
    return out + event_text("certificate", page.fc->point.index, json_of(*page.fc, genesis));
  }
  return out + id_text(page.finalised.back()->header.end.index);
}

}  // namespace zell
