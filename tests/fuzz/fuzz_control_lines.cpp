// Lines of the control sockets: a node's is answered by one line of JSON whatever it is; a supervisor's request or
// answer that is accepted is written to a line that is read back as the same.

#include <nlohmann/json.hpp>

#include "cluster/supervisor_protocol.h"
#include "node/runtime/control.h"
#include "tests/fuzz/fuzz_target.h"

namespace {

using namespace zell;

void ask_node(std::string_view line) {
  const auto answer = answer_control_line(line, [](std::string_view command) -> Result<std::string> {
    if (command == "status") return std::string(R"({"view":7})");
    return Error{"bad-command", std::string(command), ""};
  });
  ZELL_CHECK(answer.find('\n') == answer.size() - 1);
  const auto json = nlohmann::json::parse(answer, nullptr, false);
  ZELL_CHECK(json.is_object() && json.at("ok").is_boolean() && json.at("ok").get<bool>() != json.contains("error"));
}

void ask_supervisor(std::string_view line) {
  const auto request = decode_request(line);
  if (!request) return;
  const auto again = decode_request(encode_request(*request));
  ZELL_CHECK(again.ok() && again->command == request->command && again->nodes == request->nodes);
}

void hear_supervisor(std::string_view line) {
  const auto answer = decode_answer(line);
  if (!answer && answer.error().code == "bad-answer") return;
  const auto written = encode_answer(answer);
  const auto again = decode_answer(written);
  ZELL_CHECK(again.ok() == answer.ok() && encode_answer(again) == written);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  constexpr void (*lines[])(std::string_view) = {ask_node, ask_supervisor, hear_supervisor};
  lines[data[0] % std::size(lines)](as_text({data + 1, size - 1}));
  return 0;
}
