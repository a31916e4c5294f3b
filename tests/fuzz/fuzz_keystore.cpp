// A key file is described, opened or refused; and a key that was locked in one comes out again, with its passphrase
// only.

#include <nlohmann/json.hpp>

#include "node/crypto/keystore.h"
#include "tests/fuzz/fuzz_target.h"

namespace {

using namespace zell;

/// Whether opening it takes next to no time: the limits of what it may take are the unit tests' matter.
bool is_cheap(std::string_view text) {
  constexpr std::uint64_t enough = 64;
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (json.is_discarded()) return false;
  const auto flat = json.flatten();
  for (const auto& [path, value] : flat.items()) {
    if (value.is_number() && (value.is_number_float() || value.get<std::uint64_t>() > enough)) return false;
  }
  return true;
}

void read(std::string_view text) {
  const auto described = describe_key(text);
  if (!is_cheap(text)) return;
  const auto secret = decrypt_key(text, "passphrase");
  if (!secret) return;
  const auto key = secp256k1_scheme().public_key(*secret);
  ZELL_CHECK(described.ok() && key);
  if (!described->address.is_zero()) ZELL_CHECK(described->address == *address_of(*key));
}

void write(ByteView bytes) {
  const auto secret = dev_secret_key(1, as_text(bytes));
  const auto text = encrypt_key(secret, as_text(bytes), {2, 1, 1}, false);
  const auto opened = decrypt_key(text, as_text(bytes));
  ZELL_CHECK(opened.ok() && opened->bytes() == secret.bytes());
  const auto refused = decrypt_key(text, std::string(as_text(bytes)) + "x");
  ZELL_CHECK(!refused.ok() && refused.error().code == "wrong-passphrase");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  read(as_text({data, size}));
  if (size < 100) write({data, size});
  return 0;
}
