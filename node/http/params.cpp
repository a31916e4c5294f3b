#include "node/http/params.h"

#include <algorithm>
#include <charconv>

namespace zell {

namespace {

std::string join(std::initializer_list<std::string_view> words) {
  std::string out;
  for (auto word : words) {
    if (!out.empty()) out += ", ";
    out += word;
  }
  return out;
}

/// What came from outside, short enough to be shown in an error.
std::string quoted(std::string_view text) {
  constexpr std::size_t shown = 40;
  return "\"" + std::string(text.substr(0, shown)) + (text.size() > shown ? "…\"" : "\"");
}

}  // namespace

std::optional<std::uint64_t> parse_decimal(std::string_view text) {
  std::uint64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

Params::Params(const HttpRequest& request, std::initializer_list<std::string_view> allowed) : request_(request) {
  for (auto it = request.query.begin(); it != request.query.end(); ++it) {
    if (std::find(allowed.begin(), allowed.end(), it->first) == allowed.end()) {
      error_ = Error{"unknown-parameter", "there is no parameter " + quoted(it->first),
                     allowed.size() == 0 ? "this route takes no parameters" : "allowed: " + join(allowed)};
      return;
    }
    bool repeated = std::any_of(request.query.begin(), it, [&](const auto& other) { return other.first == it->first; });
    if (repeated) {
      error_ = Error{"bad-parameter", it->first + " is given more than once", "give it once"};
      return;
    }
  }
}

const std::string* Params::find(std::string_view name) const {
  for (const auto& [key, value] : request_.query) {
    if (key == name) return &value;
  }
  return nullptr;
}

void Params::fail(std::string_view name, const std::string& value, std::string wanted) {
  if (error_) return;
  error_ = Error{"bad-parameter", std::string(name) + "=" + quoted(value) + " is not allowed", std::move(wanted)};
}

std::uint64_t Params::number(std::string_view name, std::uint64_t fallback, std::uint64_t min, std::uint64_t max) {
  const auto* text = find(name);
  if (!text) return fallback;
  auto value = parse_decimal(*text);
  if (value && *value >= min && *value <= max) return *value;
  fail(name, *text, "a whole number from " + std::to_string(min) + " to " + std::to_string(max));
  return fallback;
}

std::chrono::milliseconds Params::milliseconds(std::string_view name, std::chrono::milliseconds fallback,
                                               std::chrono::milliseconds max) {
  auto value = number(name, static_cast<std::uint64_t>(fallback.count()), 0, static_cast<std::uint64_t>(max.count()));
  return std::chrono::milliseconds(value);
}

RequestState Params::state(std::string_view name, RequestState fallback) {
  const auto* text = find(name);
  if (!text) return fallback;
  for (auto state :
       {RequestState::initialised, RequestState::sequenced, RequestState::locked, RequestState::finalised}) {
    if (*text == to_string(state)) return state;
  }
  fail(name, *text, "one of initialised, sequenced, locked, finalised");
  return fallback;
}

bool Params::flag(std::string_view name, bool fallback) {
  const auto* text = find(name);
  if (!text) return fallback;
  if (*text == "0" || *text == "false") return false;
  if (*text != "1" && *text != "true") fail(name, *text, "1 or 0");
  return true;
}

}  // namespace zell
