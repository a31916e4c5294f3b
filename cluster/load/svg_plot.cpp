#include "cluster/load/svg_plot.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "node/base/check.h"

namespace zell {
namespace {

constexpr double left = 64, right = 14, top = 10, bottom = 28;
/// Beyond so many points a piece is thinned out: a screen shows no more.
constexpr std::size_t max_points = 1'200;
constexpr std::size_t max_labels = 150;

/// From values to positions between 0 and 1, and where its ticks are.
class Axis {
 public:
  Axis(AxisKind kind, double low, double high, std::size_t wanted_ticks) : kind_(kind) {
    if (kind == AxisKind::linear) {
      linear_ticks(high, wanted_ticks);
    } else if (kind == AxisKind::log10) {
      log_ticks(low, high, wanted_ticks);
    } else {
      percentile_ticks(high);
    }
  }
  [[nodiscard]] double position(double value) const {
    return std::clamp((scaled(value) - from_) / (to_ - from_), 0.0, 1.0);
  }
  /// An axis of time ends where the last value is, not at a round one.
  void end_at(double high) {
    if (kind_ != AxisKind::linear || !(high > 0)) return;
    to_ = high;
    std::erase_if(ticks_, [&](double tick) { return tick > high; });
  }
  [[nodiscard]] const std::vector<double>& ticks() const { return ticks_; }

 private:
  [[nodiscard]] double scaled(double value) const {
    if (kind_ == AxisKind::log10) return std::log10(value);
    if (kind_ == AxisKind::percentile) return -std::log10(1 - value);
    return value;
  }
  void linear_ticks(double high, std::size_t wanted) {
    const auto rough = std::max(high, 1e-9) / static_cast<double>(wanted);
    const auto power = std::pow(10, std::floor(std::log10(rough)));
    double step = 10 * power;
    for (const double nice : {5.0, 2.0, 1.0}) {
      if (nice * power >= rough * 0.999) step = nice * power;
    }
    const auto count = std::ceil(high / step - 1e-9);
    for (double k = 0; k <= std::max(count, 1.0); ++k) ticks_.push_back(k * step);
    to_ = ticks_.back();
  }
  void log_ticks(double low, double high, std::size_t wanted) {
    from_ = std::log10(low * 0.9);
    to_ = std::log10(high * 1.1);
    const bool between = to_ - from_ < static_cast<double>(wanted) / 2;
    for (auto power = std::floor(from_); power <= to_; ++power) {
      for (const double digit : {1.0, 2.0, 5.0}) {
        const auto value = digit * std::pow(10, power);
        const auto at = std::log10(value);
        if (at >= from_ && at <= to_ && (between || digit == 1)) ticks_.push_back(value);
      }
    }
  }
  void percentile_ticks(double high) {
    to_ = std::max(scaled(high), 1.0);
    ticks_ = {0, 0.5};
    for (double rest = 0.1; -std::log10(rest) <= to_ + 1e-9; rest /= 10) ticks_.push_back(1 - rest);
  }

  AxisKind kind_;
  double from_ = 0, to_ = 1;
  std::vector<double> ticks_;
};

struct Range {
  double low = INFINITY, high = -INFINITY;
  void take(double value) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
};

class Drawing {
 public:
  Drawing(const Plot& plot, double width, double height)
      : plot_(plot), width_(width), height_(height), x_(x_axis()), y_(y_axis()) {}

  std::string render() {
    out_ = fmt::format("<svg class=\"plot\" viewBox=\"0 0 {:g} {:g}\" role=\"img\" aria-label=\"{}\">\n", width_,
                       height_, escape_html(plot_.title));
    draw_grid();
    for (const auto& line : plot_.lines) draw_line(line);
    for (const auto& line : plot_.lines) draw_labels(line);
    return out_ + "</svg>\n";
  }

 private:
  [[nodiscard]] Range range(double PlotPoint::* member) const {
    Range out;
    for (const auto& line : plot_.lines) {
      for (const auto& piece : line.pieces) {
        for (const auto& point : piece) out.take(point.*member);
      }
    }
    ZELL_CHECK(out.low <= out.high);
    return out;
  }
  [[nodiscard]] Axis x_axis() const {
    const auto span = range(&PlotPoint::x);
    Axis out(plot_.x, span.low, span.high, static_cast<std::size_t>(std::max(3.0, width_ / 110)));
    out.end_at(span.high);
    return out;
  }
  [[nodiscard]] Axis y_axis() const {
    const auto span = range(&PlotPoint::y);
    return {plot_.y, span.low, span.high, static_cast<std::size_t>(std::max(3.0, height_ / 55))};
  }
  [[nodiscard]] double px(double x) const { return left + x_.position(x) * (width_ - left - right); }
  [[nodiscard]] double py(double y) const { return height_ - bottom - y_.position(y) * (height_ - top - bottom); }

  void draw_grid() {
    for (const auto value : y_.ticks()) {
      const auto y = py(value);
      out_ += fmt::format("<line class=\"grid\" x1=\"{:g}\" x2=\"{:g}\" y1=\"{:.1f}\" y2=\"{:.1f}\"/>", left,
                          width_ - right, y, y);
      out_ += fmt::format("<text class=\"tick\" x=\"{:g}\" y=\"{:.1f}\" text-anchor=\"end\">{}</text>\n", left - 8,
                          y + 4, escape_html(plot_.y_text(value)));
    }
    double last_end = -INFINITY;
    for (const auto value : x_.ticks()) {
      const auto x = px(value);
      const auto text = plot_.x_text(value);
      const auto half = 3.5 * static_cast<double>(text.size());
      if (x - half < last_end + 6) continue;
      last_end = x + half;
      const auto* anchor = x + half > width_ ? "end" : "middle";
      out_ += fmt::format("<line class=\"mark\" x1=\"{:.1f}\" x2=\"{:.1f}\" y1=\"{:g}\" y2=\"{:g}\"/>", x, x,
                          height_ - bottom, height_ - bottom + 5);
      out_ += fmt::format("<text class=\"tick\" x=\"{:.1f}\" y=\"{:g}\" text-anchor=\"{}\">{}</text>\n",
                          std::min(x, width_ - 2), height_ - bottom + 19, anchor, escape_html(text));
    }
    out_ += fmt::format("<line class=\"axis\" x1=\"{:g}\" x2=\"{:g}\" y1=\"{:g}\" y2=\"{:g}\"/>\n", left,
                        width_ - right, height_ - bottom, height_ - bottom);
  }

  [[nodiscard]] std::string path_of(const std::vector<PlotPoint>& piece) const {
    const auto step = piece.size() / max_points + 1;
    std::string path;
    for (std::size_t i = 0; i < piece.size(); ++i) {
      if (i % step != 0 && i + 1 != piece.size()) continue;
      path += fmt::format("{}{:.1f} {:.1f}", path.empty() ? "M" : "L", px(piece[i].x), py(piece[i].y));
    }
    // A single point is drawn as a dot: a line of no length with round ends.
    return piece.size() == 1 ? path + "h0" : path;
  }
  void draw_line(const PlotLine& line) {
    const auto color = line.color % 8;
    for (const auto& piece : line.pieces) {
      if (piece.empty()) continue;
      const auto path = path_of(piece);
      if (line.filled) {
        out_ += fmt::format("<path class=\"area c{}\" d=\"{}V{:g}H{:.1f}Z\"/>\n", color, path, height_ - bottom,
                            px(piece.front().x));
      }
      out_ += fmt::format("<path class=\"line c{}{}\" data-line=\"{}\" d=\"{}\"/>\n", color,
                          line.dashed ? " dashed" : "", escape_html(line.name), path);
    }
  }
  /// Dots that show when they are pointed at, with their text.
  void draw_labels(const PlotLine& line) {
    for (const auto& piece : line.pieces) {
      const auto step = piece.size() / max_labels + 1;
      for (std::size_t i = 0; i < piece.size(); i += step) {
        if (piece[i].label.empty()) continue;
        out_ += fmt::format(
            "<g class=\"dot c{}\"><circle class=\"touch\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"9\"/>"
            "<circle class=\"seen\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"4\"/><title>{}</title></g>\n",
            line.color % 8, px(piece[i].x), py(piece[i].y), px(piece[i].x), py(piece[i].y),
            escape_html(piece[i].label));
      }
    }
  }

  const Plot& plot_;
  double width_, height_;
  Axis x_, y_;
  std::string out_;
};

/// The length of the UTF-8 character that `text` begins with; 0: it is none.
std::size_t character_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto lead = byte(0);
  const std::size_t length = lead < 0x80                   ? 1
                             : lead >= 0xc2 && lead < 0xe0 ? 2
                             : lead >= 0xe0 && lead < 0xf0 ? 3
                             : lead >= 0xf0 && lead < 0xf5 ? 4
                                                           : 0;
  if (length == 0 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  const bool overlong = (lead == 0xe0 && byte(1) < 0xa0) || (lead == 0xf0 && byte(1) < 0x90);
  const bool outside = (lead == 0xed && byte(1) >= 0xa0) || (lead == 0xf4 && byte(1) >= 0x90);
  return overlong || outside ? 0 : length;
}

}  // namespace

std::string render_svg(const Plot& plot, double width, double height) {
  return Drawing(plot, width, height).render();
}

std::string escape_html(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const auto length = character_length(text);
    const auto first = static_cast<unsigned char>(text[0]);
    const bool control = (first < 0x20 && first != '\t' && first != '\n') || first == 0x7f;
    if (length == 0 || control) {
      out += "\xef\xbf\xbd";  // the replacement character
    } else if (text[0] == '&') {
      out += "&amp;";
    } else if (text[0] == '<') {
      out += "&lt;";
    } else if (text[0] == '>') {
      out += "&gt;";
    } else if (text[0] == '"') {
      out += "&quot;";
    } else if (text[0] == '\'') {
      out += "&#39;";
    } else {
      out += text.substr(0, length);
    }
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return out;
}

}  // namespace zell
