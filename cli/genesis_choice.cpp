#include "cli/genesis_choice.h"

#include "node/config/genesis_file.h"

namespace zell::cli {

Result<Genesis> choose_genesis(const Globals& globals, const std::string& file) {
  std::filesystem::path path = file;
  if (file.empty()) {
    auto cluster = choose_cluster(Environment::of_process(), globals.choice(), /*also_stopped=*/true);
    if (!cluster) {
      auto error = cluster.error();
      if (error.code == "no-cluster") error.hint = "--genesis FILE says which cluster is meant";
      return error;
    }
    path = cluster->paths.genesis();
  }
  auto genesis = load_genesis(path);
  if (!genesis) return genesis.error();
  return std::move(genesis->genesis);
}

}  // namespace zell::cli
