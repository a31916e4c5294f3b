#pragma once
// Lines over two axes, as SVG. Colours and fonts are the page's (html_report.cpp).

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace zell {

struct PlotPoint {
  double x = 0, y = 0;
  std::string label;  ///< shown when pointed at; empty: none
};

struct PlotLine {
  std::string name;
  std::size_t color = 0;  ///< 0 to 7, then again from 0
  bool dashed = false;
  bool filled = false;                         ///< down to the axis
  std::vector<std::vector<PlotPoint>> pieces;  ///< each drawn without a gap
};

enum class AxisKind : std::uint8_t {
  linear,      ///< from 0
  log10,       ///< from the smallest to the largest value
  percentile,  ///< x only: values are fractions below 1; each nine is as wide as the one before
};

struct Plot {
  std::string title;  ///< for who can't see it
  AxisKind x = AxisKind::linear, y = AxisKind::linear;
  std::string (*x_text)(double) = nullptr, (*y_text)(double) = nullptr;  ///< of an axis' values
  std::vector<PlotLine> lines;
};

/// REQUIRES: at least one point; y above 0 on a log10 axis.
[[nodiscard]] std::string render_svg(const Plot& plot, double width, double height);

/// Text within HTML or SVG, or within a quoted attribute. What is no UTF-8, or not allowed there, is replaced.
[[nodiscard]] std::string escape_html(std::string_view text);

}  // namespace zell
