#pragma once
// Reads server-sent events as a browser does: the HTML standard, "Interpreting an event stream".

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace zell::testing {

struct ServerEvent {
  std::string type, data;
  std::string last_id;  ///< what a client that is cut off after this event comes back with
};

class EventParser {
 public:
  /// Takes what arrived, in any pieces.
  void feed(std::string_view bytes) {
    for (char c : bytes) {
      bool second_half = c == '\n' && after_cr_;  // of CR LF
      after_cr_ = c == '\r';
      if (second_half) continue;
      if (c == '\n' || c == '\r') {
        line();
      } else {
        line_ += c;
      }
    }
  }

  std::vector<ServerEvent> events;
  std::vector<std::string> comments;
  std::string last_id;
  std::string retry;
  int unknown_fields = 0;

 private:
  void line() {
    std::string text;
    text.swap(line_);
    if (text.empty()) return dispatch();
    if (text.front() == ':') return comments.push_back(text);
    auto colon = text.find(':');
    auto name = text.substr(0, colon);
    auto value = colon == std::string::npos ? "" : text.substr(colon + 1);
    if (value.starts_with(' ')) value.erase(0, 1);
    if (name == "event") {
      type_ = value;
    } else if (name == "data") {
      data_ += value + "\n";
    } else if (name == "id") {
      if (value.find('\0') == std::string::npos) id_ = value;
    } else if (name == "retry" &&
               std::all_of(value.begin(), value.end(), [](char c) { return c >= '0' && c <= '9'; })) {
      retry = value;
    } else {
      ++unknown_fields;
    }
  }
  void dispatch() {
    last_id = id_;
    if (!data_.empty()) {
      data_.pop_back();
      events.push_back({type_.empty() ? "message" : type_, data_, last_id});
    }
    type_.clear();
    data_.clear();
  }

  std::string line_, type_, data_, id_;
  bool after_cr_ = false;
};

}  // namespace zell::testing
