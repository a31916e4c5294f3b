#pragma once
// JSON from outside, read field by field. For .cpp files of this folder: it brings in the JSON library.

#include <cerrno>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "client/answers.h"
#include "node/base/result.h"
#include "node/types/vote.h"

namespace zell {

using Json = nlohmann::json;

/// Discarded, which is no object, if it is no JSON.
[[nodiscard]] inline Json parse_json(std::string_view body) {
  return Json::parse(body, nullptr, /*allow_exceptions=*/false);
}

/// A document, read field by field. The first field that is missing or wrong is remembered, and all later reads give
/// zeros.
class Fields {
 public:
  explicit Fields(const Json& json) : json_(json) {
    if (!json.is_object()) fail("body", "an object");
  }

  std::uint64_t number(const char* key) {
    const auto& value = at(key);
    if (value.is_number_unsigned()) return value.get<std::uint64_t>();
    fail(key, "a number");
    return 0;
  }
  std::uint64_t number_or_zero(const char* key) { return has(key) ? number(key) : 0; }
  std::string text(const char* key) {
    const auto& value = at(key);
    if (value.is_string()) return value.get<std::string>();
    fail(key, "a string");
    return {};
  }
  std::string text_or_empty(const char* key) { return has(key) ? text(key) : std::string(); }
  std::uint64_t decimal(const char* key) {
    auto digits = text(key);
    bool good = !digits.empty() && digits.size() <= 20 && digits.find_first_not_of("0123456789") == std::string::npos;
    errno = 0;
    auto value = good ? std::strtoull(digits.c_str(), nullptr, 10) : 0;
    if (!good || errno == ERANGE) fail(key, "a decimal number");
    return value;
  }
  template <class Fixed>
  Fixed fixed(const char* key) {
    auto value = fixed_from_hex<Fixed>(text(key));
    if (!value) fail(key, "hexadecimal of the right length");
    return value.value_or(Fixed{});
  }
  std::vector<Hash> hashes(const char* key) {
    std::vector<Hash> out;
    for (const auto& one : list(key, 128)) {
      auto hash = one.is_string() ? fixed_from_hex<Hash>(one.get_ref<const std::string&>()) : std::nullopt;
      if (!hash) fail(key, "hashes");
      out.push_back(hash.value_or(Hash{}));
    }
    return out;
  }
  const Json& list(const char* key, std::size_t limit) {
    static const Json none = Json::array();
    const auto& value = at(key);
    if (value.is_array() && value.size() <= limit) return value;
    fail(key, "an array of at most " + std::to_string(limit));
    return none;
  }
  const Json& at(const char* key) {
    static const Json none;
    if (has(key)) return json_[key];
    fail(key, "given");
    return none;
  }
  [[nodiscard]] bool has(const char* key) const { return json_.is_object() && json_.contains(key); }
  void fail(const std::string& field, const std::string& wanted) {
    if (!error_) error_ = Error{field, field + " is not " + wanted, ""};
  }
  /// Takes over what was wrong in a part.
  void take(const Fields& part) {
    if (!error_) error_ = part.error_;
  }
  [[nodiscard]] const std::optional<Error>& error() const { return error_; }

 private:
  const Json& json_;
  std::optional<Error> error_;
};

[[nodiscard]] LogPoint read_point(Fields& fields);
/// A finality certificate's own fields.
[[nodiscard]] Certificate read_certificate_fields(Fields& fields);
/// The one under "certificate".
[[nodiscard]] Certificate read_certificate_of(Fields& fields);
/// The list under "evidence".
[[nodiscard]] Result<EvidenceAnswer> read_evidence_fields(Fields& fields, const DecodeContext& context);

}  // namespace zell
