// A node's configuration that is accepted is written to a text that is read back as the same.

#include "node/config/node_config.h"
#include "tests/fuzz/fuzz_target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto config = zell::parse_node_config(zell::as_text({data, size}), "node.toml", "/cluster/n1");
  if (!config) {
    ZELL_CHECK(!config.error().code.empty() && config.error().what.starts_with("node.toml"));
    return 0;
  }
  const auto again = zell::parse_node_config(zell::format_node_config(*config), "again", "/elsewhere");
  ZELL_CHECK(again.ok() && *again == *config);
  return 0;
}
