#include "node/base/coding.h"

#include <catch2/catch.hpp>
#include <limits>

#include "node/base/prng.h"

using namespace zell;

TEST_CASE("numbers are written big-endian") {
  Writer out;
  out.u8(0x01);
  out.u16(0x0203);
  out.u32(0x04050607);
  out.u64(0x08090a0b0c0d0e0f);
  out.sized(as_bytes("ab"));
  CHECK(to_hex(out.bytes()) == "0102030405060708090a0b0c0d0e0f000000026162");
}

TEST_CASE("what is written is read back") {
  const std::uint64_t seed = 7;
  INFO("seed " << seed);
  Prng random(seed);
  for (int round = 0; round < 200; ++round) {
    const auto a = static_cast<std::uint8_t>(random.next());
    const auto b = static_cast<std::uint16_t>(random.next());
    const auto c = static_cast<std::uint32_t>(random.next());
    const auto d = random.next();
    Bytes text(random.below(50));
    for (auto& byte : text) byte = static_cast<std::uint8_t>(random.next());
    Writer out;
    out.u8(a);
    out.u16(b);
    out.u32(c);
    out.u64(d);
    out.sized(text);
    const auto bytes = out.take();
    Reader in(bytes);
    CHECK(in.u8() == a);
    CHECK(in.u16() == b);
    CHECK(in.u32() == c);
    CHECK(in.u64() == d);
    const auto read = in.sized(50);
    CHECK(Bytes(read.begin(), read.end()) == text);
    CHECK(in.at_end());
  }
}

TEST_CASE("reading past the end fails for good and yields zeros") {
  const Bytes bytes = {1, 2, 3};
  Reader in(bytes);
  CHECK(in.u16() == 0x0102);
  CHECK(in.u32() == 0);
  CHECK_FALSE(in.ok());
  CHECK(in.why() == "ends early");
  CHECK(in.u8() == 0);
  CHECK(in.left() == 0);
  CHECK_FALSE(in.at_end());
}

TEST_CASE("the first reason for failing is kept") {
  Reader in(ByteView{});
  in.fail("first");
  in.fail("second");
  (void)in.u64();
  CHECK(in.why() == "first");
}

TEST_CASE("bytes that are left over are noticed") {
  const Bytes bytes = {1, 2};
  Reader in(bytes);
  (void)in.u8();
  CHECK(in.ok());
  CHECK_FALSE(in.at_end());
}

TEST_CASE("an announced length is held to its limit before anything is read") {
  Writer out;
  out.u32(std::numeric_limits<std::uint32_t>::max());
  const auto bytes = out.take();
  Reader in(bytes);
  CHECK(in.sized(1'000).empty());
  CHECK(in.why() == "a length is over its limit");
}

TEST_CASE("an announced count is held to its limit and to what the rest can hold") {
  Writer out;
  out.u32(3);
  out.raw(Bytes(12));
  const auto bytes = out.take();
  CHECK(Reader(bytes).count(3, 4) == 3);
  CHECK(Reader(bytes).count(2, 4) == 0);
  CHECK(Reader(bytes).count(3, 5) == 0);
  Writer huge;
  huge.u32(std::numeric_limits<std::uint32_t>::max());
  CHECK(Reader(huge.bytes()).count(std::numeric_limits<std::size_t>::max(), std::size_t{1} << 32) == 0);
}

TEST_CASE("a fixed-width field that is cut short reads as zeros") {
  using Word = FixedBytes<4, struct WordTag>;
  const Bytes bytes = {1, 2, 3};
  Reader in(bytes);
  CHECK(in.fixed<Word>().is_zero());
  CHECK_FALSE(in.ok());
}
