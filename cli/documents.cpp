#include "cli/documents.h"

#include "cli/files.h"
#include "cli/line_reader.h"

namespace zell::cli {
namespace {

bool is_blank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

bool is_whole(std::string_view line) {
  const auto last = line.find_last_not_of(" \t\r\n");
  return last != std::string_view::npos && line[last] == '}';
}

Error too_large(const std::string& name, std::size_t max_bytes) {
  return {"too-large", name + " holds a document of more than " + std::to_string(max_bytes >> 20) + " MiB",
          "is it the right file?"};
}

/// One document that goes over many lines.
Status read_joined(LineReader& reader, std::string text, const std::string& name, std::size_t max_bytes,
                   const std::function<Status(std::string_view, std::uint64_t)>& use) {
  while (true) {
    auto lines = reader.read_some(1'024, max_bytes);
    if (!lines) return lines.error();
    if (lines->empty()) return use(text, 1);
    for (const auto& line : *lines) text += line + "\n";
    if (text.size() > max_bytes) return too_large(name, max_bytes);
  }
}

}  // namespace

Status each_document(const std::string& file, std::size_t max_bytes,
                     const std::function<Status(std::string_view, std::uint64_t)>& use) {
  auto opened = open_input(file);
  if (!opened) return opened.error();
  const std::string name = file == "-" ? "stdin" : file;
  LineReader reader(opened->get(), max_bytes);
  std::uint64_t number = 0;
  while (true) {
    auto lines = reader.read_some(1, max_bytes);
    if (!lines) return lines.error().code == "request-too-large" ? too_large(name, max_bytes) : lines.error();
    if (lines->empty()) break;
    for (const auto& line : *lines) {
      if (is_blank(line)) continue;
      if (++number == 1 && !is_whole(line)) return read_joined(reader, line + "\n", name, max_bytes, use);
      if (auto used = use(line, number); !used) return used;
    }
  }
  if (number == 0) return Error{"bad-document", name + " holds no document", "zell prove 1 writes one"};
  return Ok{};
}

Status write_document(const std::string& file, const std::string& text) {
  constexpr unsigned mode = 0644;  // a proof is for others to read
  auto out = OutputFile::open(file, mode, /*replace=*/true);
  if (!out) return out.error();
  if (auto written = out->write(text + "\n"); !written) return written;
  return out->finish();
}

}  // namespace zell::cli
