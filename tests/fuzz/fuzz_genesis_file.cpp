// A genesis file that is accepted is valid, and is written to a text that is read back as the same cluster.

#include "node/config/genesis_file.h"
#include "tests/fuzz/fuzz_target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto file = zell::parse_genesis(zell::as_text({data, size}), "genesis.toml");
  if (!file) {
    ZELL_CHECK(!file.error().code.empty() && file.error().what.starts_with("genesis.toml"));
    return 0;
  }
  ZELL_CHECK(file->genesis.validate().ok());
  const auto text = zell::format_genesis(*file);
  const auto again = zell::parse_genesis(text, "again");
  ZELL_CHECK(again.ok());
  ZELL_CHECK(again->genesis.canonical_bytes() == file->genesis.canonical_bytes());
  ZELL_CHECK(again->endpoints == file->endpoints && zell::format_genesis(*again) == text);
  return 0;
}
