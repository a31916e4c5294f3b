#pragma once
// TOML files where every key must be known, in range and of the right type, and every complaint names its line.

#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "node/base/result.h"

namespace zell {

inline constexpr std::size_t max_config_file_bytes = 1 << 20;

/// The whole file. Codes: "not-found", "io", "too-large" (over max_config_file_bytes), "not-a-file".
[[nodiscard]] Result<std::string> read_config_file(const std::filesystem::path& file);

/// A parsed value with the line (from 1) where it stands.
struct TomlMember;
struct TomlValue {
  enum class Kind : std::uint8_t { text, integer, boolean, table, list, other };
  Kind kind = Kind::other;
  std::uint32_t line = 0;
  std::string text;
  std::int64_t integer = 0;
  bool boolean = false;
  std::vector<TomlMember> members;  ///< a table's
  std::vector<TomlValue> items;     ///< a list's
};
struct TomlMember {
  std::string key;
  TomlValue value;
};

/// `source` names the text in complaints. Code "bad-toml".
[[nodiscard]] Result<TomlValue> parse_toml(std::string_view text, const std::string& source);
/// A basic string with its quotes, as TOML writes it.
[[nodiscard]] std::string toml_quoted(std::string_view text);

/// The first mistake found in a file; those that follow from it are not reported.
class Mistake {
 public:
  explicit Mistake(std::string source) : source_(std::move(source)) {}
  /// `what` is prefixed with the file and line.
  void report(std::uint32_t line, std::string code, std::string_view what, std::string hint);
  [[nodiscard]] bool any() const { return first_.has_value(); }
  /// REQUIRES: any().
  [[nodiscard]] const Error& error() const { return *first_; }

 private:
  std::string source_;
  std::optional<Error> first_;
};

/// Reads one table key by key. Codes reported: "unknown-key", "missing-key", "wrong-type", "out-of-range".
/// `table` and `mistake` must outlive it.
class StrictTable {
 public:
  /// `name` is how complaints call it, e.g. "[parameters]". Keys other than `allowed` are reported at once.
  StrictTable(const TomlValue& table, std::string name, std::vector<std::string_view> allowed, Mistake& mistake);

  [[nodiscard]] bool has(std::string_view key) const { return find(key) != nullptr; }
  [[nodiscard]] std::uint32_t line_of(std::string_view key) const;
  /// Reports keys that are not there.
  void require(std::initializer_list<std::string_view> keys);
  /// Each leaves `out` as it is when the key is absent or wrong (and reports the latter).
  void read(std::string_view key, std::string& out);
  void read(std::string_view key, bool& out);
  template <class Unsigned>
  void read(std::string_view key, Unsigned& out, std::uint64_t low, std::uint64_t high) {
    if (auto number = read_number(key, low, high)) out = static_cast<Unsigned>(*number);
  }
  /// The sub-table or list of tables; an empty one when absent.
  [[nodiscard]] const TomlValue& table(std::string_view key);
  [[nodiscard]] const std::vector<TomlValue>& tables(std::string_view key);
  void report(std::string_view key, std::string code, std::string_view what, std::string hint);

 private:
  [[nodiscard]] const TomlValue* find(std::string_view key) const;
  [[nodiscard]] const TomlValue* find_kind(std::string_view key, TomlValue::Kind kind, std::string_view kind_name);
  /// A whole number, or its decimal digits as a string (TOML's integers end at 2^63 - 1).
  std::optional<std::uint64_t> read_number(std::string_view key, std::uint64_t low, std::uint64_t high);

  const TomlValue& table_;
  std::string name_;
  Mistake& mistake_;
};

/// The schema version is checked before all else: a newer file may have keys that this build does not know.
/// Codes: "missing-key", "newer-schema".
void check_schema(const TomlValue& root, std::uint64_t newest, Mistake& mistake);

}  // namespace zell
