// A line of a node's log, as zell node logs reads it: what is read is written back as the same line.

#include "node/base/check.h"
#include "node/base/log_line.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace zell;
  const std::string_view line(reinterpret_cast<const char*>(data), size);
  const auto record = parse_log_line(line);
  if (!record) return 0;
  ZELL_CHECK(parse_log_time(line) == record->unix_ms);
  constexpr std::int64_t year_10000 = 253'402'300'800'000;
  if (record->unix_ms >= year_10000) return 0;  // the last leap second that four digits can name
  auto again = format_log_time(record->unix_ms) + " " +
               format_log_text(record->level, record->node, record->component, record->message);
  for (const auto& [key, value] : record->fields) again += format_log_field(key, value);
  const auto back = parse_log_line(again);
  ZELL_CHECK(back.has_value());
  ZELL_CHECK(back->message == record->message && back->fields.size() == record->fields.size());
  return 0;
}
