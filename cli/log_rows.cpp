#include "cli/log_rows.h"

#include <fmt/format.h>

#include "cli/json.h"
#include "client/proof_documents.h"
#include "node/wire/request_codec.h"

namespace zell::cli {
namespace {

void line(std::string_view index, std::string_view state, std::string_view view, std::string_view app,
          std::string_view sender, std::string_view bytes, std::string_view data, Ink color) {
  print(ink(color,
            fmt::format("{:<5}  {:<9}  {:<4}  {:<7}  {:<6}  {:<5}  {}", index, state, view, app, sender, bytes, data)));
}

}  // namespace

Status LogRows::print_row(const LogEntry& entry) {
  if (form_ == RowForm::table) {
    print_table_row(entry);
  } else if (form_ == RowForm::json) {
    print_json_row(entry);
  } else {
    auto proven = client_.prove(entry.index);
    if (!proven) return proven.error();
    print(write_proof_document(*proven, SigningDomain::of(client_.genesis())));
  }
  return Ok{};
}

void LogRows::print_table_row(const LogEntry& entry) {
  if (!headed_) line("INDEX", "STATE", "VIEW", "APP", "SENDER", "BYTES", "DATA", Ink::dim);
  headed_ = true;
  const auto& request = *entry.request;
  const auto payloads = payloads_of(request);
  std::size_t bytes = 0;
  for (const auto payload : payloads) bytes += payload.size();
  auto data = readable(as_text(payloads.front()), 60);
  if (payloads.size() > 1) data += fmt::format("  (+{} more)", payloads.size() - 1);
  const auto state = std::string(to_string(entry.state)) + (entry.said_by.empty() ? "" : "?");
  line(std::to_string(entry.index.value), state, std::to_string(entry.view.value), request.app,
       names_.of(request.sender), std::to_string(bytes), data, entry.said_by.empty() ? Ink::plain : Ink::yellow);
}

void LogRows::print_json_row(const LogEntry& entry) const {
  const auto& request = *entry.request;
  Json payloads = Json::array();
  for (const auto payload : payloads_of(request)) payloads.push_back(to_hex0x(payload));
  const auto address = address_of(request.sender);
  Json out{{"index", entry.index.value},
           {"state", to_string(entry.state)},
           {"view", entry.view.value},
           {"id", to_hex0x(request.id.view())},
           {"app", request.app},
           {"sender", names_.of(request.sender)},
           {"address", address ? Json(to_checksum_hex(*address)) : Json()},
           {"nonce", std::to_string(request.nonce)},
           {"payloads", payloads}};
  const auto first = as_text(payloads_of(request).front());
  if (readable(first, first.size() + 1) == first) out["text"] = first;
  out["proven"] = entry.said_by.empty();
  if (!entry.said_by.empty()) out["said_by"] = entry.said_by;
  print_json(std::move(out));
}

}  // namespace zell::cli
