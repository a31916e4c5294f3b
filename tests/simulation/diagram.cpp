#include "tests/simulation/diagram.h"

#include <algorithm>

#include "tests/simulation/describe.h"

namespace zell::simulation {
namespace {

constexpr std::size_t column = 8;                                   // characters of the text between two nodes
constexpr std::size_t left = 110, apart = 150, row = 18, top = 40;  // pixels of the drawing

std::string ms(Instant at) {
  auto tenths = at.us / 100;
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + "ms";
}

std::string name(NodeId node) {
  return "n" + std::to_string(node.value + 1);
}

std::string escaped(const std::string& text) {
  std::string out;
  for (char c : text) {
    if (c == '<')
      out += "&lt;";
    else if (c == '&')
      out += "&amp;";
    else
      out += c;
  }
  return out;
}

}  // namespace

void Recorder::keep(Step step) {
  steps_.push_back(std::move(step));
  if (steps_.size() > keep_) steps_.pop_front();
}

void Recorder::say(Instant now, const std::string& text) {
  keep({now, now, false, {}, {}, text});
}

void Recorder::arrived(Instant sent, Instant now, NodeId from, NodeId to, const Message& message) {
  keep({sent, now, true, from, to, describe(message)});
}

std::string Recorder::account() const {
  std::string out;
  for (const auto& step : steps_) {
    out += "  " + ms(step.at) + " ";
    if (step.is_message) out += "  " + name(step.from) + " -> " + name(step.to) + " ";
    out += step.text + "\n";
  }
  return out;
}

std::string Recorder::as_text(std::size_t nodes) const {
  std::string lines;
  for (std::size_t i = 0; i < nodes; ++i) lines += "|" + std::string(column - 1, ' ');
  std::string out(12, ' ');
  for (std::uint16_t i = 0; i < nodes; ++i) {
    auto title = name({i});
    out += title + std::string(column - title.size(), ' ');
  }
  out += "\n";
  for (const auto& step : steps_) {
    auto time = ms(step.at);
    auto drawn = lines;
    if (step.is_message) {
      auto a = step.from.value * column, b = step.to.value * column;
      for (auto i = std::min(a, b) + 1; i < std::max(a, b); ++i) drawn[i] = '-';
      drawn[a] = 'o';
      drawn[a < b ? b - 1 : b + 1] = a < b ? '>' : '<';
    }
    out += time + std::string(time.size() < 12 ? 12 - time.size() : 1, ' ') + drawn + (step.is_message ? "" : "** ") +
           step.text + "\n";
  }
  return out;
}

std::string Recorder::as_svg(std::size_t nodes) const {
  auto n = [](std::size_t value) { return std::to_string(value); };
  auto x = [](NodeId node) { return left + node.value * apart; };
  auto height = top + (steps_.size() + 1) * row;
  std::string out = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" + n(left + nodes * apart) + "\" height=\"" +
                    n(height) +
                    "\" font-family=\"monospace\" font-size=\"10\">\n<defs><marker id=\"tip\" markerWidth=\"8\" "
                    "markerHeight=\"8\" refX=\"7\" refY=\"3\" orient=\"auto\"><path d=\"M0,0 L7,3 L0,6 z\"/></marker>"
                    "</defs>\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n";
  for (std::uint16_t i = 0; i < nodes; ++i) {
    auto at = n(x({i}));
    out += "<text x=\"" + at + "\" y=\"20\" text-anchor=\"middle\" font-weight=\"bold\">" + name({i}) +
           "</text><line x1=\"" + at + "\" y1=\"26\" x2=\"" + at + "\" y2=\"" + n(height) + "\" stroke=\"#bbb\"/>\n";
  }
  std::size_t y = top;
  for (const auto& step : steps_) {
    out += "<text x=\"4\" y=\"" + n(y) + "\" fill=\"#777\">" + ms(step.at) + "</text>";
    if (step.is_message) {
      auto a = x(step.from), b = x(step.to);
      out += "<line x1=\"" + n(a) + "\" y1=\"" + n(y) + "\" x2=\"" + n(b) + "\" y2=\"" + n(y) +
             "\" stroke=\"black\" marker-end=\"url(#tip)\"/><text x=\"" + n((a + b) / 2) + "\" y=\"" + n(y - 3) +
             "\" text-anchor=\"middle\">" + escaped(step.text) + "</text>\n";
    } else {
      out += "<text x=\"" + n(left) + "\" y=\"" + n(y) + "\" fill=\"#a00\">" + escaped(step.text) + "</text>\n";
    }
    y += row;
  }
  return out + "</svg>\n";
}

}  // namespace zell::simulation
