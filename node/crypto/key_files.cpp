// Key files on disk: made once, never replaced, readable by their owner only.

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "node/base/check.h"
#include "node/crypto/keystore.h"

namespace zell {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t max_key_name_bytes = 64;
constexpr mode_t others = 077;

class File {
 public:
  explicit File(int fd) : fd_(fd) {}
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() {
    if (fd_ >= 0) ::close(fd_);
  }
  [[nodiscard]] int fd() const { return fd_; }
  [[nodiscard]] bool open() const { return fd_ >= 0; }

 private:
  int fd_;
};

Error io_error(const std::string& doing, const fs::path& path) {
  const auto why = std::error_code(errno, std::generic_category());
  return {errno == ENOENT ? "not-found" : "io", "cannot " + doing + " " + path.string() + ": " + why.message(), ""};
}

Error too_open(const fs::path& path, const std::string& mode) {
  return {"too-open", "others may use " + path.string(), "chmod " + mode + " " + path.string()};
}

bool is_key_name(std::string_view name) {
  auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           c == '.';
  };
  return !name.empty() && name.size() <= max_key_name_bytes && name.front() != '.' && name.front() != '-' &&
         std::all_of(name.begin(), name.end(), allowed);
}

fs::path folder_of(const fs::path& file) {
  return file.has_parent_path() ? file.parent_path() : fs::path(".");
}

Status check_folder(const fs::path& folder) {
  struct stat info{};
  if (::stat(folder.c_str(), &info) != 0) return io_error("look at", folder);
  if (!S_ISDIR(info.st_mode)) return Error{"io", folder.string() + " is not a folder", ""};
  if ((info.st_mode & others) != 0) return too_open(folder, "700");
  return Ok{};
}

Status make_folder(const fs::path& folder) {
  if (folder.has_parent_path() && !folder.has_filename()) return make_folder(folder.parent_path());  // "keys/"
  std::error_code error;
  fs::create_directories(folder_of(folder), error);
  if (error) return Error{"io", "cannot make " + folder_of(folder).string() + ": " + error.message(), ""};
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) return io_error("make", folder);
  return check_folder(folder);
}

Status write_all(const File& file, std::string_view text, const fs::path& path) {
  while (!text.empty()) {
    const auto written = ::write(file.fd(), text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return io_error("write", path);
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  if (::fsync(file.fd()) != 0) return io_error("write", path);
  return Ok{};
}

/// A new file that only its owner may use, with `text` in it, on disk.
Status write_new(const fs::path& path, std::string_view text) {
  const File file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!file.open()) return io_error("make", path);
  return write_all(file, text, path);
}

Status sync_folder(const fs::path& folder) {
  const File file(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!file.open() || ::fsync(file.fd()) != 0) return io_error("write", folder);
  return Ok{};
}

std::string random_suffix() {
  std::array<std::uint8_t, 8> bytes{};
  random_bytes(bytes);
  return to_hex(bytes);
}

Result<std::string> read_all(const File& file, const fs::path& path) {
  std::string text(max_key_file_bytes + 1, '\0');
  std::size_t size = 0;
  while (size < text.size()) {
    const auto got = ::read(file.fd(), text.data() + size, text.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return io_error("read", path);
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  if (size > max_key_file_bytes) return Error{"bad-key-file", path.string() + " is over 64 KiB", "it is no key file"};
  text.resize(size);
  return text;
}

Result<KeyFile> describe_file(const fs::path& path) {
  const auto text = load_key_file(path);
  if (!text) return text.error();
  auto key = describe_key(*text);
  if (!key) return Error{key.error().code, path.string() + ": " + key.error().what, key.error().hint};
  key->name = path.stem().string();
  return key;
}

}  // namespace

Status check_key_name(std::string_view name) {
  if (is_key_name(name)) return Ok{};
  return Error{"bad-name", "a key cannot be named like that",
               "use 1 to 64 of a-z, A-Z, 0-9, -, _ and ., and begin with a letter, a digit or _"};
}

Status remove_key(const fs::path& folder, std::string_view name) {
  ZELL_CHECK(is_key_name(name));
  const auto path = folder / (std::string(name) + ".json");
  if (::unlink(path.c_str()) != 0) return io_error("remove", path);
  return sync_folder(folder);
}

Status save_key(const fs::path& folder, std::string_view name, std::string_view json) {
  if (auto status = check_key_name(name); !status) return status;
  if (auto status = make_folder(folder); !status) return status;
  const auto path = folder / (std::string(name) + ".json");
  const auto unfinished = folder / ("." + std::string(name) + "." + random_suffix());
  auto status = write_new(unfinished, json);
  // A link appears whole or not at all, and never takes the place of another file.
  if (status && ::link(unfinished.c_str(), path.c_str()) != 0) {
    status = errno == EEXIST ? Error{"exists", "there is a key " + path.string() + " already",
                                     "choose another name, or remove that one first"}
                             : io_error("make", path);
  }
  ::unlink(unfinished.c_str());
  if (!status) return status;
  return sync_folder(folder);
}

Result<std::string> load_key_file(const fs::path& path) {
  // O_NONBLOCK: opening a pipe must not wait for a writer.
  const File file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat info{};
  if (!file.open() || ::fstat(file.fd(), &info) != 0) return io_error("read", path);
  if (!S_ISREG(info.st_mode)) return Error{"bad-key-file", path.string() + " is not a regular file", ""};
  if ((info.st_mode & others) != 0) return too_open(path, "600");
  if (auto status = check_folder(folder_of(path)); !status) return status.error();
  return read_all(file, path);
}

Result<KeyFolder> list_keys(const fs::path& folder) {
  KeyFolder out;
  std::error_code error;
  fs::directory_iterator entry(folder, error);
  if (error == std::errc::no_such_file_or_directory) return out;
  if (!error) {
    if (auto status = check_folder(folder); !status) return status.error();
  }
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    const auto& path = entry->path();
    const auto name = path.stem().string();
    if (path.extension() != ".json" || name.front() == '.') continue;
    auto key = describe_file(path);
    if (key) {
      out.keys.push_back(std::move(*key));
    } else {
      out.broken.push_back({name, key.error()});
    }
  }
  if (error) return Error{"io", "cannot read " + folder.string() + ": " + error.message(), ""};
  const auto by_name = [](const auto& a, const auto& b) { return a.name < b.name; };
  std::sort(out.keys.begin(), out.keys.end(), by_name);
  std::sort(out.broken.begin(), out.broken.end(), by_name);
  return out;
}

}  // namespace zell
