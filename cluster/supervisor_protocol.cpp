#include "cluster/supervisor_protocol.h"

#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "cluster/control_channel.h"

namespace zell {
namespace {

using Json = nlohmann::json;

constexpr std::array<std::pair<ProcessState, std::string_view>, 6> state_names{{{ProcessState::stopped, "stopped"},
                                                                                {ProcessState::running, "running"},
                                                                                {ProcessState::paused, "paused"},
                                                                                {ProcessState::stopping, "stopping"},
                                                                                {ProcessState::killed, "killed"},
                                                                                {ProcessState::exited, "exited"}}};
constexpr std::array<std::pair<SupervisorCommand, std::string_view>, 8> command_names{
    {{SupervisorCommand::status, "status"},
     {SupervisorCommand::kill, "kill"},
     {SupervisorCommand::stop, "stop"},
     {SupervisorCommand::start, "start"},
     {SupervisorCommand::restart, "restart"},
     {SupervisorCommand::pause, "pause"},
     {SupervisorCommand::resume, "resume"},
     {SupervisorCommand::down, "down"}}};

template <class Names, class Value>
std::string_view name_in(const Names& names, Value value) {
  for (const auto& [known, name] : names) {
    if (known == value) return name;
  }
  return "?";
}

template <class Value, class Names>
std::optional<Value> value_in(const Names& names, std::string_view text) {
  for (const auto& [value, name] : names) {
    if (name == text) return value;
  }
  return std::nullopt;
}

Json to_json(const ProcessReport& node) {
  Json out{{"name", node.name},
           {"state", to_string(node.state)},
           {"pid", node.pid},
           {"since_unix_ms", node.since_unix_ms},
           {"control", node.control_socket.string()}};
  if (node.exit_code) out["exit_code"] = *node.exit_code;
  if (node.signal) out["signal"] = *node.signal;
  return out;
}

/// Throws Json::exception on a missing or mistyped field.
ProcessReport report_from(const Json& json) {
  ProcessReport out;
  out.name = json.at("name").get<std::string>();
  out.state = value_in<ProcessState>(state_names, json.at("state").get<std::string>()).value_or(ProcessState::stopped);
  out.pid = json.at("pid").get<std::int64_t>();
  out.since_unix_ms = json.at("since_unix_ms").get<std::int64_t>();
  out.control_socket = json.at("control").get<std::string>();
  if (json.contains("exit_code")) out.exit_code = json["exit_code"].get<int>();
  if (json.contains("signal")) out.signal = json["signal"].get<int>();
  return out;
}

}  // namespace

std::string_view to_string(ProcessState state) {
  return name_in(state_names, state);
}
std::string_view to_string(SupervisorCommand command) {
  return name_in(command_names, command);
}

std::string encode_request(const SupervisorRequest& request) {
  return Json{{"command", to_string(request.command)}, {"nodes", request.nodes}}.dump();
}

Result<SupervisorRequest> decode_request(std::string_view line) {
  const Error bad{"bad-request", "not a request of the supervisor's", ""};
  const auto json = Json::parse(line, nullptr, false);
  if (!json.is_object()) return bad;
  try {
    const auto command = value_in<SupervisorCommand>(command_names, json.at("command").get<std::string>());
    if (!command) return bad;
    return SupervisorRequest{*command, json.value("nodes", std::vector<std::string>{})};
  } catch (const Json::exception&) {
    return bad;
  }
}

std::string encode_answer(const Result<SupervisorAnswer>& answer) {
  if (!answer) {
    const auto& error = answer.error();
    return Json{{"error", {{"code", error.code}, {"what", error.what}, {"hint", error.hint}}}}.dump();
  }
  Json nodes = Json::array();
  for (const auto& node : answer->nodes) nodes.push_back(to_json(node));
  return Json{{"pid", answer->pid}, {"changed", answer->changed}, {"nodes", nodes}}.dump();
}

Result<SupervisorAnswer> decode_answer(std::string_view line) {
  const auto json = Json::parse(line, nullptr, false);
  try {
    if (json.contains("error")) {
      const auto& error = json.at("error");
      return Error{error.at("code").get<std::string>(), error.at("what").get<std::string>(),
                   error.at("hint").get<std::string>()};
    }
    SupervisorAnswer out;
    out.pid = json.at("pid").get<std::int64_t>();
    out.changed = json.at("changed").get<std::vector<std::string>>();
    for (const auto& node : json.at("nodes")) out.nodes.push_back(report_from(node));
    return out;
  } catch (const Json::exception&) {
    return Error{"bad-answer", "the supervisor's answer makes no sense", "zell down, then zell up"};
  }
}

Result<SupervisorAnswer> ask_supervisor(const std::filesystem::path& socket, const SupervisorRequest& request,
                                        std::chrono::milliseconds timeout) {
  auto line = ask(socket, encode_request(request), timeout);
  if (!line) return line.error();
  return decode_answer(*line);
}

}  // namespace zell
