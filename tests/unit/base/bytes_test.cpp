#include "node/base/bytes.h"

#include <catch2/catch.hpp>
#include <unordered_set>

using namespace zell;

using Word = FixedBytes<4, struct WordTag>;

TEST_CASE("hexadecimal goes both ways") {
  const Bytes bytes = {0x00, 0x0f, 0xa0, 0xff};
  CHECK(to_hex(bytes) == "000fa0ff");
  CHECK(to_hex0x(bytes) == "0x000fa0ff");
  CHECK(from_hex("000fa0ff") == bytes);
  CHECK(from_hex("0x000FA0fF") == bytes);
  CHECK(to_hex({}).empty());
  CHECK(from_hex("") == Bytes{});
  CHECK(from_hex("0x") == Bytes{});
}

TEST_CASE("what is not hexadecimal is refused") {
  for (const auto* text : {"0", "0x0", "0g", "x0", "0x 0", " 00", "00 ", "-1", "0x0x", "\xff\xff"}) {
    INFO(text);
    CHECK_FALSE(from_hex(text).has_value());
  }
  CHECK_FALSE(from_hex(std::string_view("00\0", 4)).has_value());
}

TEST_CASE("fixed-width bytes are read only at their exact width") {
  CHECK(fixed_from_hex<Word>("0x01020304")->bytes == std::array<std::uint8_t, 4>{1, 2, 3, 4});
  CHECK_FALSE(fixed_from_hex<Word>("010203").has_value());
  CHECK_FALSE(fixed_from_hex<Word>("0102030405").has_value());
  CHECK_FALSE(fixed_from_hex<Word>("").has_value());
}

TEST_CASE("fixed-width bytes compare as text does, first byte first") {
  const auto low = *fixed_from_hex<Word>("00ffffff"), high = *fixed_from_hex<Word>("01000000");
  CHECK(low < high);
  CHECK(low != high);
  CHECK(Word{}.is_zero());
  CHECK_FALSE(high.is_zero());
  CHECK(std::unordered_set<Word>{low, high, low}.size() == 2);
}

TEST_CASE("text and bytes are views of each other") {
  CHECK(as_text(as_bytes("zell")) == "zell");
  CHECK(as_bytes("").empty());
}
