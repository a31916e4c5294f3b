#pragma once
// The query of a URL, read strictly: an unknown, repeated or malformed parameter is an error that says what is allowed.

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "node/http/message.h"

namespace zell {

class Params {
 public:
  /// `request` and the names in `allowed` must outlive it.
  Params(const HttpRequest& request, std::initializer_list<std::string_view> allowed);

  /// The value, or `fallback` if it is not given. Remembers the first error; see error().
  std::uint64_t number(std::string_view name, std::uint64_t fallback, std::uint64_t min, std::uint64_t max);
  std::chrono::milliseconds milliseconds(std::string_view name, std::chrono::milliseconds fallback,
                                         std::chrono::milliseconds max);
  /// A state to wait for; `fallback` if it is not given.
  RequestState state(std::string_view name, RequestState fallback);
  /// 1 or true, 0 or false.
  bool flag(std::string_view name, bool fallback = false);
  /// What was given, for values of a kind that only one route takes; null if nothing was. See fail().
  [[nodiscard]] const std::string* find(std::string_view name) const;
  /// Remembers that a value is not allowed, unless there was an error before.
  void fail(std::string_view name, const std::string& value, std::string wanted);
  [[nodiscard]] bool has(std::string_view name) const { return find(name) != nullptr; }

  [[nodiscard]] const std::optional<Error>& error() const { return error_; }

 private:
  const HttpRequest& request_;
  std::optional<Error> error_;
};

/// A whole decimal number without sign or spaces; nullopt for anything else, or above 2^64 - 1.
[[nodiscard]] std::optional<std::uint64_t> parse_decimal(std::string_view text);

}  // namespace zell
