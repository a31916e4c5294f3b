// A cluster file that is accepted is written to a text that is read back as the same. Stakes and selectors, as people
// type them, are understood or refused.

#include "cluster/cluster_file.h"
#include "cluster/selectors.h"
#include "tests/fuzz/fuzz_target.h"

namespace {

using namespace zell;

void read_file(std::string_view text) {
  const auto file = parse_cluster_file(text, "cluster.toml");
  if (!file) return;
  const auto again = parse_cluster_file(render_cluster_file(*file), "again");
  ZELL_CHECK(again.ok() && *again == *file);
}

void read_stakes(std::string_view text) {
  const auto stakes = parse_stakes(text);
  if (!stakes) return;
  std::string again;
  for (auto stake : *stakes) again += (again.empty() ? "" : ",") + std::to_string(stake);
  ZELL_CHECK(*parse_stakes(again) == *stakes);
}

void choose(std::string_view text) {
  const std::vector<Candidate> nodes{
      {"n1", true, false}, {"n2", true, true}, {"n3", false, false}, {"n4", true, false}};
  Prng random(1);
  const auto chosen = resolve_selector(text, nodes, 1, random);
  if (!chosen) return;
  for (std::size_t i = 0; i < chosen->size(); ++i) {
    ZELL_CHECK((*chosen)[i] < nodes.size() && (i == 0 || (*chosen)[i - 1] < (*chosen)[i]));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  constexpr void (*readers[])(std::string_view) = {read_file, read_stakes, choose};
  readers[data[0] % std::size(readers)](as_text({data + 1, size - 1}));
  return 0;
}
