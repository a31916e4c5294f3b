#include "node/metrics/metrics_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "node/base/check.h"

namespace zell {

namespace {

bool is_name(std::string_view name) {
  auto is_word = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; };
  return !name.empty() && name.front() >= 'a' && name.front() <= 'z' && std::all_of(name.begin(), name.end(), is_word);
}

std::string escaped(std::string_view value) {
  std::string out;
  for (char c : value) {
    if (c == '\n') {
      out += "\\n";
      continue;
    }
    if (c == '\\' || c == '"') out += '\\';
    out += c;
  }
  return out;
}

}  // namespace

std::string MetricsText::number(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  std::array<char, 32> digits{};
  auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), value, std::chars_format::general);
  ZELL_CHECK(error == std::errc{});  // the shortest form has at most 24 characters
  return {digits.data(), end};
}

void MetricsText::begin(std::string_view name, std::string_view help, std::string_view type) {
  ZELL_CHECK(is_name(name) && (type == "counter") == name.ends_with("_total"));
  ZELL_CHECK(!help.empty() && help.find_first_of("\n\\") == std::string_view::npos);
  ZELL_CHECK(families_.emplace(name).second);
  family_ = name;
  for (auto [word, rest] : {std::pair<std::string_view, std::string_view>{"HELP", help}, {"TYPE", type}}) {
    text_.append("# ").append(word).append(" ").append(name).append(" ").append(rest).append("\n");
  }
}

void MetricsText::sample(std::string_view suffix, Labels labels, std::string_view le, std::string_view value) {
  ZELL_CHECK(!family_.empty());
  text_.append(family_).append(suffix);
  write_labels(labels, le);
  text_.append(" ").append(value).append("\n");
}

void MetricsText::write_labels(Labels labels, std::string_view le) {
  char before = '{';
  auto write = [&](std::string_view name, std::string_view value) {
    ZELL_CHECK(is_name(name));
    text_.append(1, before).append(name).append("=\"").append(escaped(value)).append("\"");
    before = ',';
  };
  for (const auto& label : labels) write(label.name, label.value);
  if (!le.empty()) write("le", le);
  if (before == ',') text_.append("}");
}

void MetricsText::histogram(std::string_view name, std::string_view help, const BucketHistogram& values) {
  begin(name, help, "histogram");
  std::uint64_t below = 0;
  for (std::size_t i = 0; i < values.bounds().size(); ++i) {
    below += values.count_in(i);
    sample("_bucket", {}, number(values.bounds()[i]), std::to_string(below));
  }
  sample("_bucket", {}, "+Inf", std::to_string(values.count()));
  sample("_sum", {}, {}, number(values.sum()));
  sample("_count", {}, {}, std::to_string(values.count()));
}

}  // namespace zell
