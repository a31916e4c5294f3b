#include "cluster/load/html_parts.h"

#include <fmt/format.h>

#include "cluster/load/documents.h"
#include "cluster/load/html_style.h"

namespace zell {
namespace {

std::string legend_of(const Plot& plot) {
  std::string out = "<div class=\"legend\">";
  for (const auto& line : plot.lines) {
    out += fmt::format("<span><i class=\"key c{}{}\"></i>{}</span>", line.color % 8, line.dashed ? " dashed" : "",
                       escape_html(line.name));
  }
  return out + "</div>\n";
}

}  // namespace

HtmlTable::HtmlTable(const std::vector<std::string>& titles) {
  out_ = "<div class=\"scroll\"><table><thead><tr>";
  for (std::size_t c = 0; c < titles.size(); ++c) {
    out_ += fmt::format("<th{}>{}</th>", c == 0 ? "" : " class=\"number\"", escape_html(titles[c]));
  }
  out_ += "</tr></thead><tbody>\n";
}

void HtmlTable::add(const std::vector<std::string>& cells) {
  out_ += "<tr>";
  for (std::size_t c = 0; c < cells.size(); ++c) {
    out_ += fmt::format("<td{}>{}</td>", c == 0 ? "" : " class=\"number\"", escape_html(cells[c]));
  }
  out_ += "</tr>\n";
}

std::string section(std::string_view title, std::string_view note, const std::string& content) {
  return fmt::format("<section>\n<h2>{}</h2>\n<p class=\"soft\">{}</p>\n{}</section>\n", escape_html(title),
                     escape_html(note), content);
}

std::string plot_section(std::string_view title, std::string_view note, const Plot& plot) {
  if (plot.lines.empty()) return {};
  const auto as = [](std::string svg, const char* kind) {
    const std::string_view before = "class=\"plot\"";
    return svg.replace(svg.find(before), before.size(), fmt::format("class=\"plot {}\"", kind));
  };
  return section(title, note,
                 (plot.lines.size() > 1 ? legend_of(plot) : std::string()) + as(render_svg(plot, 880, 280), "wide") +
                     as(render_svg(plot, 340, 240), "narrow"));
}

std::string page(std::string_view title, std::string_view subtitle, const std::string& body) {
  return fmt::format(
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; img-src "
      "data:\">\n<link rel=\"icon\" href=\"data:,\">\n<title>{0}</title>\n<style>{1}</style>\n</head>\n<body>\n<main>\n"
      "<h1>{0}</h1>\n<p class=\"soft\">{2}</p>\n{3}</main>\n</body>\n</html>\n",
      escape_html(title), html_style, escape_html(subtitle), body);
}

std::string joined(const std::vector<std::string>& parts) {
  std::string out;
  for (const auto& part : parts) {
    if (!part.empty()) out += (out.empty() ? "" : " · ") + part;
  }
  return out;
}

std::string machine_text(const nlohmann::json& document) {
  const auto cores = number_at(document, "/machine/cores");
  return joined({text_at(document, "/machine/cpu"), cores ? fmt::format("{:g} cores", *cores) : "",
                 text_at(document, "/machine/kernel")});
}

std::string or_dash(const std::optional<double>& value, std::string (*text)(double)) {
  return value ? text(*value) : "–";
}

std::string bytes_text(double bytes) {
  if (bytes >= 1 << 30) return fmt::format("{:.1f} GiB", bytes / (1 << 30));
  return bytes >= 1 << 20 ? fmt::format("{:.0f} MiB", bytes / (1 << 20)) : fmt::format("{:.0f} KiB", bytes / 1024);
}

std::string text_at(const nlohmann::json& document, const char* pointer) {
  const nlohmann::json::json_pointer at(pointer);
  return document.contains(at) && document.at(at).is_string() ? document.at(at).get<std::string>() : std::string();
}

}  // namespace zell
