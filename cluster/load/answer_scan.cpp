#include "cluster/load/answer_scan.h"

#include <array>
#include <charconv>
#include <span>

namespace zell {

namespace {

constexpr std::array<std::int8_t, 256> digit_values = [] {
  std::array<std::int8_t, 256> out{};
  for (auto& one : out) one = -1;
  for (int k = 0; k < 10; ++k) out[static_cast<std::size_t>('0' + k)] = static_cast<std::int8_t>(k);
  for (int k = 0; k < 6; ++k) out[static_cast<std::size_t>('a' + k)] = static_cast<std::int8_t>(10 + k);
  return out;
}();

/// Steps through a text that is known but for its values. Once something is not as expected, all that follows fails.
class Scan {
 public:
  explicit Scan(std::string_view text) : text_(text) {}

  /// True, and passed over, if that is what comes next.
  bool next_is(std::string_view expected) {
    if (text_.substr(at_, expected.size()) != expected) return false;
    at_ += expected.size();
    return true;
  }
  void expect(std::string_view expected) { good_ = good_ && next_is(expected); }

  void read_hex(std::span<std::uint8_t> out) {
    if (!good_ || text_.size() - at_ < 2 * out.size()) return fail();
    for (auto& byte : out) {
      const int high = digit_values[static_cast<unsigned char>(text_[at_])];
      const int low = digit_values[static_cast<unsigned char>(text_[at_ + 1])];
      if (high < 0 || low < 0) return fail();
      byte = static_cast<std::uint8_t>(high << 4 | low);
      at_ += 2;
    }
  }
  std::uint64_t read_number() {
    if (!good_) return 0;
    std::uint64_t value = 0;
    const auto* begin = text_.data() + at_;
    const auto [end, problem] = std::from_chars(begin, text_.data() + text_.size(), value);
    if (problem != std::errc{}) {
      fail();
      return 0;
    }
    at_ += static_cast<std::size_t>(end - begin);
    return value;
  }
  /// Up to the closing quote, which is passed over. Our words need no escapes, our hints may have them.
  std::string_view read_string() {
    const auto begin = at_;
    while (good_ && at_ < text_.size() && text_[at_] != '"') at_ += text_[at_] == '\\' ? 2 : 1;
    if (!good_ || at_ >= text_.size()) {
      fail();
      return {};
    }
    return text_.substr(begin, at_++ - begin);
  }
  void fail() { good_ = false; }
  [[nodiscard]] bool good() const { return good_; }
  [[nodiscard]] bool at_end() const { return at_ == text_.size(); }
  [[nodiscard]] std::size_t at() const { return at_; }

 private:
  std::string_view text_;
  std::size_t at_ = 0;
  bool good_ = true;
};

RequestState state_of(std::string_view word) {
  using enum RequestState;
  for (const auto state : {finalised, refused, locked, sequenced, initialised}) {
    if (to_string(state) == word) return state;
  }
  return unknown;
}

ScannedAnswer read_one(Scan& scan) {
  ScannedAnswer out;
  scan.expect(R"({"id":"0x)");
  scan.read_hex(out.id.bytes);
  scan.expect(R"(","state":")");
  out.state = state_of(scan.read_string());
  if (scan.good() && scan.next_is(R"(,"index":)")) {
    out.index = {scan.read_number()};
    scan.expect(R"(,"view":)");
    (void)scan.read_number();
  }
  if (scan.good() && scan.next_is(R"(,"reason":")")) out.reason = scan.read_string();
  if (scan.good() && scan.next_is(R"(,"hint":")")) (void)scan.read_string();
  scan.expect(R"(,"timed_out":)");
  if (scan.good() && !scan.next_is("true")) scan.expect("false");
  scan.expect("}");
  return out;
}

}  // namespace

Status scan_submit_answer(std::string_view body, std::vector<ScannedAnswer>& out) {
  out.clear();
  Scan scan(body);
  scan.expect(R"({"schema":1,"results":[)");
  do {
    out.push_back(read_one(scan));
  } while (scan.good() && scan.next_is(","));
  scan.expect("]}\n");
  if (scan.good() && scan.at_end()) return Ok{};
  return Error{"bad-answer", "a node's answer was not understood at its byte " + std::to_string(scan.at()), ""};
}

}  // namespace zell
