// The low-level calls: OpenSSL 3's EVP layer costs several times the hash itself on inputs as short as ours (most are
// 65 bytes: a tree node).
#define OPENSSL_SUPPRESS_DEPRECATED

#include "node/crypto/hash.h"

#include <cryptopp/keccak.h>
#include <openssl/sha.h>

#include "node/base/check.h"

namespace zell {

Hash sha256(std::initializer_list<ByteView> parts) {
  SHA256_CTX context;
  ZELL_CHECK(SHA256_Init(&context) == 1);
  for (auto part : parts) ZELL_CHECK(SHA256_Update(&context, part.data(), part.size()) == 1);
  Hash out;
  ZELL_CHECK(SHA256_Final(out.bytes.data(), &context) == 1);
  return out;
}

Hash sha256(ByteView bytes) {
  return sha256({bytes});
}

Hash keccak256(std::initializer_list<ByteView> parts) {
  CryptoPP::Keccak_256 state;
  for (auto part : parts) {
    if (!part.empty()) state.Update(part.data(), part.size());
  }
  Hash out;
  state.Final(out.bytes.data());
  return out;
}

Hash keccak256(ByteView bytes) {
  return keccak256({bytes});
}

}  // namespace zell
