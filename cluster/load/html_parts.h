#pragma once
// What pages are made of; for html_report.cpp and scale.cpp.

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cluster/load/svg_plot.h"

namespace zell {

/// A table whose first column is text, and numbers the others. Escapes what it is given.
class HtmlTable {
 public:
  explicit HtmlTable(const std::vector<std::string>& titles);
  void add(const std::vector<std::string>& cells);
  [[nodiscard]] std::string end() const { return out_ + "</tbody></table></div>\n"; }

 private:
  std::string out_;
};

/// `content` is markup; all other texts are escaped.
[[nodiscard]] std::string section(std::string_view title, std::string_view note, const std::string& content);
/// Empty without lines. Drawn twice, for a desktop and for a phone, so that the text is as large on both.
[[nodiscard]] std::string plot_section(std::string_view title, std::string_view note, const Plot& plot);
[[nodiscard]] std::string page(std::string_view title, std::string_view subtitle, const std::string& body);

/// The parts that are not empty, with dots between them.
[[nodiscard]] std::string joined(const std::vector<std::string>& parts);
/// "one · 2 cores · Linux 6.1", of a document.
[[nodiscard]] std::string machine_text(const nlohmann::json& document);
/// "–" without a value.
[[nodiscard]] std::string or_dash(const std::optional<double>& value, std::string (*text)(double));
/// "90 MiB".
[[nodiscard]] std::string bytes_text(double bytes);
/// A text at a JSON pointer; empty if there is none.
[[nodiscard]] std::string text_at(const nlohmann::json& document, const char* pointer);

}  // namespace zell
