#include "node/crypto/hash.h"

#include <catch2/catch.hpp>

#include "node/base/prng.h"

using namespace zell;

TEST_CASE("SHA-256 gives its published answers") {
  CHECK(to_hex(sha256(ByteView{}).view()) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(to_hex(sha256(as_bytes("abc")).view()) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(to_hex(sha256(as_bytes("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")).view()) ==
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  CHECK(to_hex(sha256(Bytes(1'000'000, 'a')).view()) ==
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST_CASE("Keccak-256 is Ethereum's, not SHA3-256") {
  CHECK(to_hex(keccak256(ByteView{}).view()) == "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470");
  CHECK(to_hex(keccak256(as_bytes("abc")).view()) ==
        "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45");
  CHECK(to_hex(keccak256(as_bytes("testing")).view()) ==
        "5f16f4c7f149ac4f9510d9cf8cf384038ad348b3bcdc01915f95de12df9d1b02");
}

TEST_CASE("a hash over parts is the hash over what they make together") {
  const std::uint64_t seed = 42;
  INFO("seed " << seed);
  Prng random(seed);
  for (int round = 0; round < 300; ++round) {
    Bytes bytes(random.below(400));
    for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random.next());
    const ByteView all(bytes);
    const auto a = random.below(bytes.size() + 1), b = a + random.below(bytes.size() - a + 1);
    const auto one = all.first(a), two = all.subspan(a, b - a), three = all.subspan(b);
    REQUIRE(sha256({one, two, three}) == sha256(all));
    REQUIRE(keccak256({one, two, three}) == keccak256(all));
  }
  CHECK(sha256({}) == sha256(ByteView{}));
  CHECK(keccak256({ByteView{}, ByteView{}}) == keccak256(ByteView{}));
}
