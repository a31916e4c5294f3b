// Writes the small corpus that the fuzz targets start from: fuzz_make_corpus FOLDER. The same files every time.

#include <filesystem>
#include <fstream>
#include <iostream>

#include "tests/fuzz/fuzz_target.h"

namespace {

namespace fs = std::filesystem;
using namespace zell;

constexpr std::uint64_t seed = 1;

void save(const fs::path& folder, const std::string& name, const Bytes& bytes) {
  fs::create_directories(folder);
  std::ofstream file(folder / name, std::ios::binary);
  file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  file.close();
  if (!file) throw fs::filesystem_error("cannot write", folder / name, std::error_code());
}

void save_all(const fs::path& folder) {
  const auto& context = testing::fuzz_context();
  testing::RandomMessages random(seed, context);
  for (std::size_t kind = 0; kind < std::variant_size_v<Message>; ++kind) {
    const auto message = random.message(kind);
    save(folder / "message", std::string(name_of(message)), encode_message(message, context.domain.epoch));
  }
  for (std::size_t kind = 0; kind < std::variant_size_v<Evidence>; ++kind) {
    const Challenge challenge{
        {{1}, {2}, Reason::equivocation, {}}, std::make_shared<const Evidence>(random.evidence(kind)), {}};
    save(folder / "message", "evidence-" + std::to_string(kind + 1), encode_message(challenge, context.domain.epoch));
  }
  for (int i = 1; i <= 2; ++i) {
    const auto name = std::to_string(i);
    Writer certificate;
    write_certificate(certificate, random.certificate());
    save(folder / "request", name, random.request()->canonical);
    save(folder / "certificate", name, certificate.bytes());
    save(folder / "durable_state", name, encode_durable_state(random.durable_state()));
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: fuzz_make_corpus FOLDER\n";
    return 2;
  }
  try {
    save_all(argv[1]);
  } catch (const fs::filesystem_error& error) {
    std::cerr << error.what() << "\n";
    return 1;
  }
  return 0;
}
