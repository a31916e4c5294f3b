#pragma once
// What somebody who helps needs to see of a cluster, dead or alive, as files; and never a key. DUMP.md lists them.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "cluster/registry.h"

namespace zell {

struct BundleFile {
  std::string name;  ///< inside of the bundle, e.g. "n1/log"
  std::uint64_t bytes = 0;
};

struct BundleOptions {
  std::uint64_t log_bytes = 4 << 20;  ///< of each node, at most: the newest
  std::string version;                ///< of the program
  std::string status;                 ///< the cluster's, as text
};

/// Writes the files into `folder`, which exists. What can't be had is told in its file's place. `step` is called before
/// each node, with how many are done and how many there are; an error that it returns ends this. Code "io".
[[nodiscard]] Result<std::vector<BundleFile>> gather_bundle(
    const FoundCluster& cluster, const std::filesystem::path& folder, const BundleOptions& options,
    const std::function<Status(std::size_t done, std::size_t nodes)>& step);

/// Runs `tar` to write PARENT/NAME to `out_fd`, compressed with gzip. Codes: "no-tar", "io".
[[nodiscard]] Status pack_folder(const std::filesystem::path& parent, const std::string& name, int out_fd);

}  // namespace zell
