// Runs a fuzz target without libFuzzer: over every file of the folders that are named, each as it is, cut short, and
// with seeded changes. A broken promise aborts.

#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>

#include "tests/fuzz/fuzz_target.h"

namespace {

constexpr std::uint64_t seed = 20'261'122;
constexpr int changes_per_file = 200;

void run(const zell::Bytes& bytes) {
  LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
}

// The same changes of one file, whatever else is in its folder.
void run_with_changes(const zell::Bytes& bytes) {
  zell::Prng prng(seed);
  run(bytes);
  for (int i = 0; i < changes_per_file && !bytes.empty(); ++i) {
    auto changed = bytes;
    for (auto left = 1 + prng.below(4); left > 0; --left) {
      changed[prng.below(changed.size())] = static_cast<std::uint8_t>(prng.next());
    }
    run(changed);
    changed.resize(prng.below(changed.size()));
    run(changed);
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::cout << "seed " << seed << "\n";
  std::size_t files = 0;
  for (int i = 1; i < argc; ++i) {
    for (const auto& entry : std::filesystem::directory_iterator(argv[i])) {
      std::ifstream file(entry.path(), std::ios::binary);
      const zell::Bytes bytes{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
      if (!file) {
        std::cerr << "cannot read " << entry.path() << "\n";
        return 1;
      }
      run_with_changes(bytes);
      ++files;
    }
  }
  std::cout << files << " files, no broken promise\n";
  return files > 0 ? 0 : 1;
}
