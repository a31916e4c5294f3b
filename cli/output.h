#pragma once
// What is printed, and how: data to stdout, talk to stderr, colour and progress only where they can be seen.

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "node/base/result.h"

namespace zell::cli {

enum class ColorChoice : std::uint8_t { automatic, always, never };

/// Decided once, from the flags, NO_COLOR, FORCE_COLOR, TERM and what stdout and stderr are.
struct OutputMode {
  bool json = false;
  bool color_out = false, color_err = false;
  bool terminal_out = false, terminal_err = false;
  bool progress = false;  ///< stderr is a terminal on which a line can be written over
};
void set_output_mode(bool json, ColorChoice color);
[[nodiscard]] const OutputMode& output_mode();

enum class Ink : std::uint8_t { plain, green, red, yellow, blue, magenta, cyan, dim, bold };
/// For stdout: with colour only if it takes it.
[[nodiscard]] std::string ink(Ink color, std::string_view text);
/// For stderr.
[[nodiscard]] std::string ink_err(Ink color, std::string_view text);
/// "✓" and "✗".
[[nodiscard]] std::string check_mark();
[[nodiscard]] std::string cross_mark();

/// A line of data, flushed: a reader at the other end of a pipe sees it now. If it can't be written (a full disk, a
/// closed stdout), the program says so and ends with 1, wherever it is, as it does when the reader of a pipe is gone.
void print(std::string_view line);
/// The same without a newline.
void print_part(std::string_view text);
/// A line of talk.
void talk(std::string_view line);
/// "try: zell submit hello", dim, to stderr; not with --json.
void hint(std::string_view label, std::string_view commands);
/// A line of data with an undo beside it: on the same line on a terminal, else as talk.
void print_with_undo(std::string_view line, std::string_view undo);
/// "error: what. try: hint".
[[nodiscard]] std::string error_line(const Error& error);
/// What, why and what to do: text to stderr, or with --json a document to stdout. Returns the exit code to leave with.
[[nodiscard]] int fail(const Error& error);

/// A table whose columns are as wide as what they hold. Widths count characters, not bytes.
class Table {
 public:
  enum class Align : std::uint8_t { left, right };
  struct Column {
    std::string title;
    Align align = Align::left;
  };
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)), inks_() {}
  /// REQUIRES: one cell a column. `color` is that of the whole row.
  void add(std::vector<std::string> cells, Ink color = Ink::plain);
  void print() const;
  /// As they are printed, with colour if stdout takes it.
  [[nodiscard]] std::vector<std::string> lines() const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
  std::vector<Ink> inks_;
};

/// Characters, not bytes, of UTF-8.
[[nodiscard]] std::size_t width_of(std::string_view text);
/// "8 ms", "1.1 s".
[[nodiscard]] std::string to_text(std::chrono::microseconds time);
/// Bytes as a person reads them: as they are if printable UTF-8 without control characters, else "0x…"; cut at
/// `max_characters` with "…".
[[nodiscard]] std::string readable(std::string_view bytes, std::size_t max_characters);

/// Control characters as "\\x1b", so that a terminal does not obey what a node or a file says; tabs stay.
[[nodiscard]] std::string harmless(std::string_view text);

/// One line on a terminal's stderr that tells how far something is, from the second second on. Not thread-safe.
class Progress {
 public:
  /// `total` 0: unknown.
  Progress(std::string what, std::uint64_t total);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  /// `note` is shown behind it.
  void update(std::uint64_t done, std::string_view note = {});

 private:
  std::string what_;
  std::uint64_t total_;
  std::chrono::steady_clock::time_point start_, last_;
  bool shown_ = false;
};

}  // namespace zell::cli
