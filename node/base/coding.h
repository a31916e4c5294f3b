#pragma once
// Big-endian writing and bounded reading. Every stored, signed or sent byte goes through these two.

#include <string_view>

#include "node/base/bytes.h"

namespace zell {

class Writer {
 public:
  void u8(std::uint8_t v) { out_.push_back(v); }
  void u16(std::uint16_t v) { number(v, 2); }
  void u32(std::uint32_t v) { number(v, 4); }
  void u64(std::uint64_t v) { number(v, 8); }
  void raw(ByteView bytes) { out_.insert(out_.end(), bytes.begin(), bytes.end()); }
  template <std::size_t N, class Tag>
  void fixed(const FixedBytes<N, Tag>& v) {
    raw(v.view());
  }
  /// u32 length, then the bytes.
  void sized(ByteView bytes) {
    u32(static_cast<std::uint32_t>(bytes.size()));
    raw(bytes);
  }
  [[nodiscard]] std::size_t size() const { return out_.size(); }
  [[nodiscard]] const Bytes& bytes() const { return out_; }
  [[nodiscard]] Bytes take() { return std::move(out_); }
  void reserve(std::size_t n) { out_.reserve(n); }

 private:
  void number(std::uint64_t v, int width) {
    for (int i = width - 1; i >= 0; --i) out_.push_back(static_cast<std::uint8_t>(v >> (8 * i)));
  }
  Bytes out_;
};

/// Reads from outside bytes. The first read past the end, or a call of fail(), makes ok() false for good, and all
/// reads then return zeros: callers check ok() once, before they use what they read. Keeps a view: the bytes must
/// outlive it.
class Reader {
 public:
  explicit Reader(ByteView bytes) : rest_(bytes) {}
  std::uint8_t u8() { return static_cast<std::uint8_t>(number(1)); }
  std::uint16_t u16() { return static_cast<std::uint16_t>(number(2)); }
  std::uint32_t u32() { return static_cast<std::uint32_t>(number(4)); }
  std::uint64_t u64() { return number(8); }
  ByteView raw(std::size_t n) {
    if (!ok_ || rest_.size() < n) {
      fail("ends early");
      return {};
    }
    auto out = rest_.first(n);
    rest_ = rest_.subspan(n);
    return out;
  }
  template <class Fixed>
  Fixed fixed() {
    auto bytes = raw(Fixed::size);
    return bytes.size() == Fixed::size ? Fixed::from(bytes) : Fixed{};
  }
  /// u32 length (at most `limit`), then that many bytes.
  ByteView sized(std::size_t limit) {
    auto n = u32();
    if (n > limit) {
      fail("a length is over its limit");
      return {};
    }
    return raw(n);
  }
  /// A count (u32) that is at most `limit`, and no more than the rest could hold at `min_bytes_each`.
  std::uint32_t count(std::size_t limit, std::size_t min_bytes_each) {
    auto n = u32();
    if (n > limit || static_cast<std::uint64_t>(n) * min_bytes_each > rest_.size()) {
      fail("a count is over its limit");
      return 0;
    }
    return n;
  }
  void fail(std::string_view why) {
    if (ok_) why_ = why;
    ok_ = false;
    rest_ = {};
  }
  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] bool at_end() const { return ok_ && rest_.empty(); }
  [[nodiscard]] std::size_t left() const { return rest_.size(); }
  [[nodiscard]] ByteView rest() const { return rest_; }
  [[nodiscard]] std::string_view why() const { return why_; }

 private:
  std::uint64_t number(std::size_t width) {
    std::uint64_t v = 0;
    for (auto byte : raw(width)) v = v << 8 | byte;
    return v;
  }
  ByteView rest_;
  bool ok_ = true;
  std::string_view why_;  // always a literal
};

}  // namespace zell
