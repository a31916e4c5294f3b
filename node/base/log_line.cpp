#include "node/base/log_line.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>

namespace zell {
namespace {

constexpr std::size_t max_value_bytes = 1'024;
constexpr std::string_view cut_mark = "...";
constexpr std::array<std::string_view, 4> level_words = {"debug", "info", "warn", "error"};
constexpr std::array<std::string_view, 4> written_levels = {"DEBUG", "INFO", "WARN", "ERROR"};
constexpr std::string_view hex_digits = "0123456789abcdef";

bool is_plain(char c) {
  return c > ' ' && c < 0x7f && c != '"' && c != '\\' && c != '=';
}

bool is_key_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

/// Digits of fixed places, e.g. of a time.
std::optional<int> number_at(std::string_view text, std::size_t at, std::size_t digits) {
  int out = 0;
  for (auto i = at; i < at + digits; ++i) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    out = out * 10 + (text[i] - '0');
  }
  return out;
}

/// Reads a line from its front.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : rest_(text) {}
  [[nodiscard]] bool at_end() const { return rest_.empty(); }
  bool take(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  /// Up to the next space or the end.
  std::string_view word() {
    const auto length = std::min(rest_.find(' '), rest_.size());
    const auto out = rest_.substr(0, length);
    rest_.remove_prefix(length);
    return out;
  }
  /// Everything before the first " key=", which stays.
  std::string_view message() {
    for (std::size_t at = 0; at < rest_.size(); ++at) {
      if (rest_[at] != ' ') continue;
      auto end = at + 1;
      while (end < rest_.size() && is_key_char(rest_[end])) ++end;
      if (end > at + 1 && end < rest_.size() && rest_[end] == '=') {
        const auto out = rest_.substr(0, at);
        rest_.remove_prefix(at);
        return out;
      }
      at = end - 1;
    }
    return std::exchange(rest_, {});
  }
  std::optional<std::string> value() {
    if (!take('"')) {
      const auto plain = word();
      if (plain.empty() || !std::all_of(plain.begin(), plain.end(), is_plain)) return std::nullopt;
      return std::string(plain);
    }
    std::string out;
    while (!take('"')) {
      auto c = escaped();
      if (!c) return std::nullopt;
      out.push_back(*c);
    }
    if (rest_.starts_with(cut_mark)) {
      rest_.remove_prefix(cut_mark.size());
      out += cut_mark;
    }
    return out;
  }
  std::string_view key() {
    std::size_t length = 0;
    while (length < rest_.size() && is_key_char(rest_[length])) ++length;
    const auto out = rest_.substr(0, length);
    rest_.remove_prefix(length);
    return out;
  }

 private:
  /// One character of a quoted value; nullopt at the end of the line, or if it is escaped in no known way.
  std::optional<char> escaped() {
    if (rest_.empty()) return std::nullopt;
    const char c = rest_.front();
    rest_.remove_prefix(1);
    if (c != '\\') return c;
    if (take('n')) return '\n';
    if (take('"')) return '"';
    if (take('\\')) return '\\';
    if (!take('x') || rest_.size() < 2) return std::nullopt;
    const auto high = hex_digits.find(rest_[0]), low = hex_digits.find(rest_[1]);
    if (high == std::string_view::npos || low == std::string_view::npos) return std::nullopt;
    rest_.remove_prefix(2);
    return static_cast<char>(high * 16 + low);
  }

  std::string_view rest_;
};

}  // namespace

std::string_view to_string(LogLevel level) {
  return level_words[static_cast<std::size_t>(level)];
}

std::optional<LogLevel> log_level_from(std::string_view word) {
  const auto found = std::find(level_words.begin(), level_words.end(), word);
  if (found == level_words.end()) return std::nullopt;
  return static_cast<LogLevel>(found - level_words.begin());
}

std::string format_log_time(std::int64_t unix_ms) {
  using namespace std::chrono;
  const sys_time<milliseconds> time{milliseconds(unix_ms)};
  const auto day = floor<days>(time);
  const year_month_day date(day);
  const hh_mm_ss clock(time - day);
  char out[64];
  const auto length =
      std::snprintf(out, sizeof out, "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ", static_cast<int>(date.year()),
                    static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                    static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                    static_cast<int>(clock.seconds().count()), static_cast<int>(clock.subseconds().count()));
  return {out, static_cast<std::size_t>(length)};
}

std::optional<std::int64_t> parse_log_time(std::string_view line) {
  constexpr std::string_view shape = "0000-00-00T00:00:00.000Z";
  static_assert(shape.size() == log_time_bytes);
  if (line.size() < shape.size()) return std::nullopt;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] != '0' && line[i] != shape[i]) return std::nullopt;
  }
  const auto year = number_at(line, 0, 4), month = number_at(line, 5, 2), day = number_at(line, 8, 2);
  const auto hour = number_at(line, 11, 2), minute = number_at(line, 14, 2), second = number_at(line, 17, 2);
  const auto ms = number_at(line, 20, 3);
  if (!year || !month || !day || !hour || !minute || !second || !ms) return std::nullopt;
  using namespace std::chrono;
  const auto date = std::chrono::year(*year) / *month / *day;
  if (!date.ok() || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
  const auto time = sys_days(date).time_since_epoch() + hours(*hour) + minutes(*minute) + seconds(*second);
  return duration_cast<milliseconds>(time).count() + *ms;
}

std::string log_value(std::string_view text) {
  const bool cut = text.size() > max_value_bytes;
  if (cut) text = text.substr(0, max_value_bytes);
  if (!text.empty() && !cut && std::all_of(text.begin(), text.end(), is_plain)) return std::string(text);
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out.append({'\\', c});
    } else if (c == '\n') {
      out += "\\n";
    } else if (byte < 0x20 || byte == 0x7f) {
      out.append("\\x").append({hex_digits[byte >> 4], hex_digits[byte & 15]});
    } else {
      out.push_back(c);
    }
  }
  out.push_back('"');
  if (cut) out += cut_mark;
  return out;
}

std::string format_log_text(LogLevel level, std::string_view node, std::string_view component,
                            std::string_view message) {
  std::string out(written_levels[static_cast<std::size_t>(level)]);
  for (const auto part : {node, component, message}) out.append(" ").append(part);
  return out;
}

std::string format_log_field(std::string_view key, std::string_view value) {
  return " " + std::string(key) + "=" + log_value(value);
}

std::optional<LogRecord> parse_log_line(std::string_view line) {
  const auto time = parse_log_time(line);
  if (!time) return std::nullopt;
  Cursor cursor(line.substr(log_time_bytes));
  LogRecord out;
  out.unix_ms = *time;
  if (!cursor.take(' ')) return std::nullopt;
  const auto level = std::find(written_levels.begin(), written_levels.end(), cursor.word());
  if (level == written_levels.end()) return std::nullopt;
  out.level = static_cast<LogLevel>(level - written_levels.begin());
  for (auto* part : {&out.node, &out.component}) {
    if (!cursor.take(' ')) return std::nullopt;
    *part = cursor.word();
    if (part->empty()) return std::nullopt;
  }
  if (!cursor.take(' ')) return std::nullopt;
  out.message = cursor.message();
  while (!cursor.at_end()) {
    if (!cursor.take(' ')) return std::nullopt;
    std::string key(cursor.key());
    if (key.empty() || !cursor.take('=')) return std::nullopt;
    auto value = cursor.value();
    if (!value) return std::nullopt;
    out.fields.emplace_back(std::move(key), std::move(*value));
  }
  return out;
}

}  // namespace zell
