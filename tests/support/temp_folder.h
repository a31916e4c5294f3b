#pragma once

#include <cstdlib>
#include <filesystem>
#include <stdexcept>

namespace zell::test {

/// A fresh folder, removed with all that is in it.
class TempFolder {
 public:
  explicit TempFolder(const std::filesystem::path& parent = std::filesystem::temp_directory_path()) {
    auto name = (parent / "zell-test-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder in " + parent.string());
    path_ = name;
  }
  ~TempFolder() {
    std::error_code ignored;  // a test that failed may have left it unreadable
    std::filesystem::remove_all(path_, ignored);
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace zell::test
