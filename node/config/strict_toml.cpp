#include "node/config/strict_toml.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <toml++/toml.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>

#include "node/config/nearest.h"

namespace zell {
namespace {

TomlValue convert(const toml::node& node) {
  TomlValue out;
  out.line = static_cast<std::uint32_t>(node.source().begin.line);
  if (auto* text = node.as_string()) {
    out.kind = TomlValue::Kind::text;
    out.text = text->get();
  } else if (auto* integer = node.as_integer()) {
    out.kind = TomlValue::Kind::integer;
    out.integer = integer->get();
  } else if (auto* boolean = node.as_boolean()) {
    out.kind = TomlValue::Kind::boolean;
    out.boolean = boolean->get();
  } else if (auto* table = node.as_table()) {
    out.kind = TomlValue::Kind::table;
    for (auto&& [key, value] : *table) {
      out.members.push_back({std::string(key.str()), convert(value)});
      // A sub-table's own position is its bracket; a plain value's key names the line better than a multi-line value's
      // end.
      out.members.back().value.line = static_cast<std::uint32_t>(key.source().begin.line);
    }
  } else if (auto* list = node.as_array()) {
    out.kind = TomlValue::Kind::list;
    for (auto&& item : *list) out.items.push_back(convert(item));
  }
  return out;
}

/// toml++ bounds how deep values are nested, but not dotted keys, and both it and we recurse over what it reads.
constexpr std::size_t max_key_parts = 16;

/// The end of the string that begins at `at`, after its quotes; the text's end if it has none.
std::size_t end_of_string(std::string_view text, std::size_t at) {
  const char quote = text[at];
  const auto triple = std::string(3, quote);
  const bool multiline = text.substr(at, 3) == triple;
  for (std::size_t i = at + (multiline ? 3 : 1); i < text.size(); ++i) {
    if (quote == '"' && text[i] == '\\') {
      ++i;
    } else if (multiline ? text.substr(i, 3) == triple : text[i] == quote || text[i] == '\n') {
      auto end = i + (multiline ? 3 : 1);
      // Up to two quotes before the closing three are the string's own.
      for (int more = 0; multiline && more < 2 && end < text.size() && text[end] == quote; ++more) ++end;
      return end;
    }
  }
  return text.size();
}

/// The line (from 1) of the first key with more than max_key_parts parts, or 0.
std::size_t line_of_deep_key(std::string_view text) {
  std::size_t line = 1, dots = 0;
  for (std::size_t i = 0; i < text.size();) {
    auto next = i + 1;
    if (text[i] == '"' || text[i] == '\'') {
      next = end_of_string(text, i);
    } else if (text[i] == '#') {
      next = std::min(text.find('\n', i), text.size());
    } else if (text[i] == '.') {
      if (++dots >= max_key_parts) return line;
    } else if (std::string_view("=,{}[]\n").find(text[i]) != std::string_view::npos) {
      dots = 0;
    }
    line += static_cast<std::size_t>(std::count(text.begin() + static_cast<std::ptrdiff_t>(i),
                                                text.begin() + static_cast<std::ptrdiff_t>(next), '\n'));
    i = next;
  }
  return 0;
}

std::string listed(const std::vector<std::string_view>& words) {
  std::string out;
  for (auto word : words) out.append(out.empty() ? "" : ", ").append(word);
  return out;
}

std::string range_text(std::uint64_t low, std::uint64_t high) {
  if (high == std::numeric_limits<std::uint64_t>::max()) return "at least " + std::to_string(low);
  return std::to_string(low) + " to " + std::to_string(high);
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_;
};

}  // namespace

Result<std::string> read_config_file(const std::filesystem::path& file) {
  // O_NONBLOCK: opening a FIFO must not hang.
  Descriptor fd(open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (fd.get() < 0) {
    bool missing = errno == ENOENT || errno == ENOTDIR;
    return Error{missing ? "not-found" : "io", file.string() + ": " + std::strerror(errno), "check the path"};
  }
  struct stat status{};
  if (fstat(fd.get(), &status) != 0 || !S_ISREG(status.st_mode)) {
    return Error{"not-a-file", file.string() + ": not a regular file", "give the path of a TOML file"};
  }
  std::string text(max_config_file_bytes + 1, '\0');
  std::size_t got = 0;
  while (got < text.size()) {
    auto n = ::read(fd.get(), text.data() + got, text.size() - got);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return Error{"io", file.string() + ": " + std::strerror(errno), ""};
    if (n == 0) break;
    got += static_cast<std::size_t>(n);
  }
  if (got > max_config_file_bytes) {
    return Error{"too-large", file.string() + ": over 1 MiB", "is it the right file?"};
  }
  text.resize(got);
  return text;
}

Result<TomlValue> parse_toml(std::string_view text, const std::string& source) {
  if (const auto line = line_of_deep_key(text); line != 0) {
    return Error{"bad-toml", source + ":" + std::to_string(line) + ": a key has more than 16 parts",
                 "correct that line"};
  }
  try {
    return convert(toml::parse(text, source));
  } catch (const toml::parse_error& problem) {
    return Error{"bad-toml",
                 source + ":" + std::to_string(problem.source().begin.line) + ": " + std::string(problem.description()),
                 "correct that line"};
  }
}

std::string toml_quoted(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string out = "\"";
  for (char c : text) {
    auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out.append({'\\', c});
    } else if (byte < 0x20 || byte == 0x7f) {
      out.append("\\u00").append({digits[byte >> 4], digits[byte & 15]});
    } else {
      out.push_back(c);
    }
  }
  return out + "\"";
}

void Mistake::report(std::uint32_t line, std::string code, std::string_view what, std::string hint) {
  if (first_) return;
  first_ = Error{std::move(code), source_ + ":" + std::to_string(line) + ": " + std::string(what), std::move(hint)};
}

StrictTable::StrictTable(const TomlValue& table, std::string name, std::vector<std::string_view> allowed,
                         Mistake& mistake)
    : table_(table), name_(std::move(name)), mistake_(mistake) {
  // Members are ordered by key; the first mistake for a reader is the one that stands first.
  const TomlMember* first_unknown = nullptr;
  for (const auto& member : table_.members) {
    bool known = std::find(allowed.begin(), allowed.end(), member.key) != allowed.end();
    if (!known && (!first_unknown || member.value.line < first_unknown->value.line)) first_unknown = &member;
  }
  if (!first_unknown) return;
  auto near = nearest_word(first_unknown->key, allowed);
  auto hint = (near.empty() ? "" : "did you mean \"" + std::string(near) + "\"? ") + "allowed here: " + listed(allowed);
  mistake_.report(first_unknown->value.line, "unknown-key", "unknown key \"" + first_unknown->key + "\" in " + name_,
                  hint);
}

const TomlValue* StrictTable::find(std::string_view key) const {
  for (const auto& [name, value] : table_.members) {
    if (name == key) return &value;
  }
  return nullptr;
}

std::uint32_t StrictTable::line_of(std::string_view key) const {
  auto* value = find(key);
  return value ? value->line : table_.line;
}

void StrictTable::report(std::string_view key, std::string code, std::string_view what, std::string hint) {
  mistake_.report(line_of(key), std::move(code), std::string(key) + " " + std::string(what), std::move(hint));
}

void StrictTable::require(std::initializer_list<std::string_view> keys) {
  for (auto key : keys) {
    if (!has(key)) report(key, "missing-key", "is missing from " + name_, "add " + std::string(key) + " = ...");
  }
}

const TomlValue* StrictTable::find_kind(std::string_view key, TomlValue::Kind kind, std::string_view kind_name) {
  auto* value = find(key);
  if (value && value->kind != kind) {
    report(key, "wrong-type", "must be " + std::string(kind_name), "");
    return nullptr;
  }
  return value;
}

void StrictTable::read(std::string_view key, std::string& out) {
  if (auto* value = find_kind(key, TomlValue::Kind::text, "a string in quotes")) out = value->text;
}

void StrictTable::read(std::string_view key, bool& out) {
  if (auto* value = find_kind(key, TomlValue::Kind::boolean, "true or false")) out = value->boolean;
}

std::optional<std::uint64_t> StrictTable::read_number(std::string_view key, std::uint64_t low, std::uint64_t high) {
  auto* value = find(key);
  if (!value) return std::nullopt;
  std::optional<std::uint64_t> number;
  std::string shown;
  if (value->kind == TomlValue::Kind::integer) {
    shown = std::to_string(value->integer);
    if (value->integer >= 0) number = static_cast<std::uint64_t>(value->integer);
  } else if (value->kind == TomlValue::Kind::text) {
    shown = "\"" + value->text + "\"";
    std::uint64_t parsed = 0;
    const char* end = value->text.data() + value->text.size();
    auto [stop, problem] = std::from_chars(value->text.data(), end, parsed);
    if (problem == std::errc{} && stop == end) number = parsed;
  } else {
    report(key, "wrong-type", "must be a whole number", "a whole number, " + range_text(low, high));
    return std::nullopt;
  }
  if (!number || *number < low || *number > high) {
    report(key, "out-of-range", "= " + shown + " is out of range", "a whole number, " + range_text(low, high));
    return std::nullopt;
  }
  return number;
}

const TomlValue& StrictTable::table(std::string_view key) {
  static const TomlValue empty;
  auto* value = find_kind(key, TomlValue::Kind::table, "a table, [" + std::string(key) + "]");
  return value ? *value : empty;
}

const std::vector<TomlValue>& StrictTable::tables(std::string_view key) {
  static const std::vector<TomlValue> none;
  auto expected = "a list of tables, [[" + std::string(key) + "]]";
  auto* value = find_kind(key, TomlValue::Kind::list, expected);
  if (!value) return none;
  for (const auto& item : value->items) {
    if (item.kind == TomlValue::Kind::table) continue;
    mistake_.report(item.line, "wrong-type", std::string(key) + " must be " + expected, "");
    return none;
  }
  return value->items;
}

void check_schema(const TomlValue& root, std::uint64_t newest, Mistake& mistake) {
  const TomlValue* schema = nullptr;
  for (const auto& [key, value] : root.members) {
    if (key == "schema") schema = &value;
  }
  if (!schema) return mistake.report(1, "missing-key", "schema is missing", "add schema = " + std::to_string(newest));
  if (schema->kind == TomlValue::Kind::integer && schema->integer > 0 &&
      static_cast<std::uint64_t>(schema->integer) > newest) {
    return mistake.report(schema->line, "newer-schema",
                          "schema = " + std::to_string(schema->integer) + " is newer than this build knows (" +
                              std::to_string(newest) + ")",
                          "use a newer zell");
  }
  if (schema->kind != TomlValue::Kind::integer || schema->integer < 1) {
    mistake.report(schema->line, "out-of-range", "schema must be a whole number from 1",
                   "schema = " + std::to_string(newest));
  }
}

}  // namespace zell
