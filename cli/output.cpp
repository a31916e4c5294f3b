#include "cli/output.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <nlohmann/json.hpp>

#include "cli/exit_codes.h"
#include "node/base/bytes.h"

namespace zell::cli {
namespace {

OutputMode mode;

bool is_set(const char* variable) {
  const char* value = std::getenv(variable);
  return value != nullptr && *value != '\0';
}

bool is_dumb_terminal() {
  const char* term = std::getenv("TERM");
  return term == nullptr || std::string_view(term) == "dumb";
}

bool wants_color(ColorChoice choice, bool terminal) {
  if (choice != ColorChoice::automatic) return choice == ColorChoice::always;
  if (is_set("NO_COLOR")) return false;
  if (is_set("FORCE_COLOR")) return std::string_view(std::getenv("FORCE_COLOR")) != "0";
  return terminal && !is_dumb_terminal();
}

std::string colored(bool on, Ink color, std::string_view text) {
  static constexpr std::string_view codes[] = {"0", "32", "31", "33", "34", "35", "36", "2", "1"};
  if (!on || color == Ink::plain || text.empty()) return std::string(text);
  return fmt::format("\033[{}m{}\033[0m", codes[static_cast<std::size_t>(color)], text);
}

std::string padded(const std::string& cell, std::size_t width, Table::Align align, bool last) {
  const std::string space(width > width_of(cell) ? width - width_of(cell) : 0, ' ');
  if (align == Table::Align::right) return space + cell;
  return last ? cell : cell + space;
}

/// Well-formed UTF-8 without control characters, as far as a terminal can be harmed or confused.
bool is_readable(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    if (lead < 0x80) {
      if (lead < 0x20 || lead == 0x7f) return false;
      ++i;
      continue;
    }
    const std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (lead < 0xc2 || lead > 0xf4 || i + length > text.size()) return false;
    for (std::size_t k = 1; k < length; ++k) {
      if ((static_cast<unsigned char>(text[i + k]) & 0xc0) != 0x80) return false;
    }
    // U+0080..U+009F are control characters, too.
    if (lead == 0xc2 && static_cast<unsigned char>(text[i + 1]) < 0xa0) return false;
    i += length;
  }
  return true;
}

/// "━━━━━━────── 300 of 600 (50%)", or the number alone if the total is unknown.
std::string how_far(std::uint64_t done, std::uint64_t total) {
  if (total == 0) return std::to_string(done);
  constexpr std::uint64_t bar_width = 20;
  const auto part = std::min(done, total);
  std::string bar;
  for (std::uint64_t k = 0; k < bar_width; ++k) bar += k < part * bar_width / total ? "━" : "─";
  return fmt::format("{} {} of {} ({}%)", bar, done, total, part * 100 / total);
}

}  // namespace

void set_output_mode(bool json, ColorChoice color) {
  mode.json = json;
  mode.terminal_out = ::isatty(STDOUT_FILENO) == 1;
  mode.terminal_err = ::isatty(STDERR_FILENO) == 1;
  mode.progress = mode.terminal_err && !json && !is_dumb_terminal();
  mode.color_out = wants_color(color, mode.terminal_out);
  mode.color_err = wants_color(color, mode.terminal_err);
}

const OutputMode& output_mode() {
  return mode;
}

std::string ink(Ink color, std::string_view text) {
  return colored(mode.color_out, color, text);
}
std::string ink_err(Ink color, std::string_view text) {
  return colored(mode.color_err, color, text);
}
std::string check_mark() {
  return ink(Ink::green, "✓");
}
std::string cross_mark() {
  return ink(Ink::red, "✗");
}

void print(std::string_view line) {
  print_part(std::string(line) + '\n');
}

void print_part(std::string_view text) {
  errno = 0;
  if (std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0) return;
  talk(error_line({"io", fmt::format("cannot write to stdout: {}", std::strerror(errno)), ""}));
  std::exit(negative);
}

void talk(std::string_view line) {
  std::fwrite(line.data(), 1, line.size(), stderr);
  std::fputc('\n', stderr);
}

void hint(std::string_view label, std::string_view commands) {
  if (!mode.json) talk(ink_err(Ink::dim, fmt::format("{}: {}", label, commands)));
}

void print_with_undo(std::string_view line, std::string_view undo) {
  constexpr std::size_t undo_column = 56;
  if (!mode.terminal_out || !mode.terminal_err) {
    print(line);
    return hint("undo", undo);
  }
  const auto space = std::max<std::size_t>(2, undo_column - std::min(undo_column, width_of(line)));
  print(fmt::format("{}{}{}", line, std::string(space, ' '), ink(Ink::dim, fmt::format("undo: {}", undo))));
}

std::string error_line(const Error& error) {
  auto line = ink_err(Ink::red, "error:") + " " + error.what;
  // A hint is a command to try, or a remark that reads on its own.
  if (error.hint.starts_with("zell ") || error.hint.starts_with("chmod ") || error.hint.starts_with("cat ")) {
    line += ". try: " + error.hint;
  } else if (!error.hint.empty()) {
    line += ". " + error.hint;
  }
  return line;
}

int fail(const Error& error) {
  const int code = exit_code_of(error);
  if (mode.json) {
    const nlohmann::ordered_json document{
        {"schema", 1}, {"error", {{"code", error.code}, {"reason", error.what}, {"hint", error.hint}, {"exit", code}}}};
    print(document.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
    return code;
  }
  talk(error_line(error));
  return code;
}

void Table::add(std::vector<std::string> cells, Ink color) {
  ZELL_CHECK(cells.size() == columns_.size());
  rows_.push_back(std::move(cells));
  inks_.push_back(color);
}

void Table::print() const {
  for (const auto& line : lines()) cli::print(line);
}

std::vector<std::string> Table::lines() const {
  std::vector<std::size_t> widths;
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    auto width = width_of(columns_[c].title);
    for (const auto& row : rows_) width = std::max(width, width_of(row[c]));
    widths.push_back(width);
  }
  const auto render = [&](const auto& cell_at) {
    std::string line;
    for (std::size_t c = 0; c < columns_.size(); ++c) {
      if (c > 0) line += "  ";
      line += padded(cell_at(c), widths[c], columns_[c].align, c + 1 == columns_.size());
    }
    return line;
  };
  std::vector<std::string> out{ink(Ink::dim, render([&](std::size_t c) { return columns_[c].title; }))};
  for (std::size_t r = 0; r < rows_.size(); ++r) {
    out.push_back(ink(inks_[r], render([&](std::size_t c) { return rows_[r][c]; })));
  }
  return out;
}

std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

std::string to_text(std::chrono::microseconds time) {
  const auto us = static_cast<double>(time.count());
  if (us < 10'000) return fmt::format("{:.1f} ms", us / 1e3);
  if (us < 1e6) return fmt::format("{:.0f} ms", us / 1e3);
  return fmt::format("{:.1f} s", us / 1e6);
}

std::string readable(std::string_view bytes, std::size_t max_characters) {
  const auto text = is_readable(bytes) ? std::string(bytes) : to_hex0x(as_bytes(bytes.substr(0, max_characters)));
  if (width_of(text) <= max_characters) return text;
  std::size_t end = 0;
  for (std::size_t characters = 0; end < text.size(); ++end) {
    const bool starts = (static_cast<unsigned char>(text[end]) & 0xc0) != 0x80;
    if (starts && ++characters == max_characters) break;
  }
  return text.substr(0, end) + "…";
}

std::string harmless(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const auto next = i + 1 < text.size() ? static_cast<unsigned char>(text[i + 1]) : 0U;
    if ((byte < 0x20 && byte != '\t') || byte == 0x7f) {
      out += fmt::format("\\x{:02x}", byte);
    } else if (byte == 0xc2 && next >= 0x80 && next < 0xa0) {  // U+0080..U+009F
      out += fmt::format("\\x{:02x}", next);
      ++i;
    } else {
      out.push_back(text[i]);
    }
  }
  return out;
}

Progress::Progress(std::string what, std::uint64_t total)
    : what_(std::move(what)), total_(total), start_(std::chrono::steady_clock::now()), last_(start_) {}

Progress::~Progress() {
  if (shown_) std::fputs("\r\033[K", stderr);
}

void Progress::update(std::uint64_t done, std::string_view note) {
  using namespace std::chrono_literals;
  if (!mode.progress) return;
  const auto now = std::chrono::steady_clock::now();
  if (now - start_ < 1s || now - last_ < 100ms) return;
  last_ = now;
  shown_ = true;
  const auto seconds = std::chrono::duration<double>(now - start_).count();
  std::fputs(
      fmt::format("\r\033[K{} {}  {:.0f} s{}{}", what_, how_far(done, total_), seconds, note.empty() ? "" : "  ", note)
          .c_str(),
      stderr);
  std::fflush(stderr);
}

}  // namespace zell::cli
