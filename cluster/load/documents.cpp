#include "cluster/load/documents.h"

#include <fmt/format.h>

#include <fstream>
#include <iterator>

namespace zell {
namespace {

using Json = nlohmann::json;

/// An array's items, or the document itself.
void append(std::vector<Json>& out, Json document) {
  if (!document.is_array()) return out.push_back(std::move(document));
  for (auto& item : document) out.push_back(std::move(item));
}

std::optional<std::vector<Json>> parse_lines(std::string_view text) {
  std::vector<Json> out;
  while (!text.empty()) {
    const auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    auto document = Json::parse(line, nullptr, false);
    if (document.is_discarded()) return std::nullopt;
    append(out, std::move(document));
  }
  return out;
}

std::string text_at(const Json& document, const char* key) {
  const auto found = document.find(key);
  return found != document.end() && found->is_string() ? found->get<std::string>() : std::string();
}

}  // namespace

Result<std::vector<Json>> parse_documents(std::string_view text, std::string_view source, std::string_view kind) {
  const auto refuse = [&](std::string why) {
    return Error{"bad-document", fmt::format("{}: {}", source, why),
                 kind == "limits" ? "zell bench limits --json" : "zell bench --json"};
  };
  std::vector<Json> out;
  if (auto whole = Json::parse(text, nullptr, false); !whole.is_discarded()) {
    append(out, std::move(whole));
  } else if (auto lines = parse_lines(text)) {
    out = std::move(*lines);
  } else {
    return refuse("it is no JSON");
  }
  if (out.empty()) return refuse("it holds no document");
  for (const auto& document : out) {
    if (!document.is_object()) return refuse("a document is no object");
    if (document.contains("error")) return refuse("it holds an error, not a result");
    if (number_at(document, "/schema") != 1) return refuse("it is not of schema 1");
    const auto is = text_at(document, "kind");
    if (is != kind) return refuse(fmt::format("it is of kind '{}', not '{}'", is, kind));
  }
  return out;
}

Result<std::vector<Json>> read_documents(const std::filesystem::path& file, std::string_view kind) {
  std::ifstream in(file, std::ios::binary);
  if (!in) return Error{"not-found", "cannot read " + file.string(), ""};
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  if (in.bad()) return Error{"io", "cannot read " + file.string(), ""};
  return parse_documents(text, file.string(), kind);
}

std::optional<double> number_at(const Json& document, const char* pointer) {
  const Json::json_pointer at(pointer);
  if (!document.contains(at) || !document.at(at).is_number()) return std::nullopt;
  return document.at(at).get<double>();
}

}  // namespace zell
