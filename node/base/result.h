#pragma once
// A value or the reason why there is none.

#include <string>
#include <utility>
#include <variant>

#include "node/base/check.h"

namespace zell {

/// Why something was refused, for a program (code), a person (what) and the next step (hint, may be empty).
struct Error {
  std::string code;  ///< stable word, e.g. "bad-signature"
  std::string what;
  std::string hint;
};

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  [[nodiscard]] bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }
  /// REQUIRES: ok().
  T& value() & {
    ZELL_CHECK(ok());
    return std::get<0>(state_);
  }
  const T& value() const& {
    ZELL_CHECK(ok());
    return std::get<0>(state_);
  }
  T&& value() && {
    ZELL_CHECK(ok());
    return std::get<0>(std::move(state_));
  }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  /// REQUIRES: !ok().
  [[nodiscard]] const Error& error() const {
    ZELL_CHECK(!ok());
    return std::get<1>(state_);
  }

 private:
  std::variant<T, Error> state_;
};

struct Ok {};
/// The result of an action that yields nothing.
using Status = Result<Ok>;

}  // namespace zell
