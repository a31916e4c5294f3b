// Whatever decodes can be checked: the verifier answers, and never aborts. Signatures are a stand-in whose first byte
// says whose they are, so that the checks behind them are reached too.

#include "node/wire/verifier.h"
#include "tests/fuzz/fuzz_target.h"

namespace {

using namespace zell;

PublicKey stand_in_key(std::size_t member) {
  PublicKey out;
  out.bytes.fill(static_cast<std::uint8_t>(member + 1));
  return out;
}

class StandInScheme final : public SignatureScheme {
 public:
  [[nodiscard]] std::optional<PublicKey> public_key(const SecretKey&) const override { return std::nullopt; }
  [[nodiscard]] Signature sign(const SecretKey&, const Hash&) const override { return {}; }
  [[nodiscard]] bool verify(const PublicKey&, const Hash&, const CompactSignature& signature) const override {
    return signature.bytes[0] % 2 == 0;
  }
  [[nodiscard]] std::optional<PublicKey> recover(const Hash&, const Signature& signature) const override {
    return stand_in_key(signature.bytes[0] % testing::fuzz_context().member_count);
  }
};

Genesis make_genesis() {
  Genesis out;
  out.parameters = testing::fuzz_context().parameters;
  for (std::size_t i = 0; i < testing::fuzz_context().member_count; ++i) {
    out.members.push_back({"n" + std::to_string(i + 1), stand_in_key(i), 1});
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Genesis genesis = make_genesis();
  static const StandInScheme scheme;
  static const Verifier verifier(genesis, scheme, nullptr);
  auto message = decode_message({data, size}, testing::fuzz_context());
  if (!message) return 0;
  const auto index = message->index();
  const auto checked = verifier.check(std::move(*message));
  if (checked.ok()) ZELL_CHECK((*checked)->get().index() == index);
  return 0;
}
