#include "cli/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

#include "node/crypto/keys.h"

namespace zell::cli {
namespace {

Error because(const std::string& doing, const std::string& file) {
  return {"io", "cannot " + doing + " " + file + ": " + std::generic_category().message(errno), ""};
}

std::string folder_of(const std::string& file) {
  const auto folder = std::filesystem::path(file).parent_path();
  return folder.empty() ? "." : folder.string();
}

/// Beside the file, so that it can take its name.
std::string unfinished_name(const std::string& file) {
  std::array<std::uint8_t, 8> bytes{};
  random_bytes(bytes);
  const auto name = std::filesystem::path(file).filename().string();
  return (std::filesystem::path(folder_of(file)) / ("." + name + "." + to_hex(bytes))).string();
}

}  // namespace

Result<UniqueFd> open_input(const std::string& file) {
  UniqueFd fd(file == "-" ? ::dup(0) : ::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) {
    return Error{"not-found", (file == "-" ? "stdin" : file) + ": " + std::generic_category().message(errno), ""};
  }
  return fd;
}

Result<std::string> read_input(const std::string& file, std::size_t max_bytes, const Error& too_large) {
  auto fd = open_input(file);
  if (!fd) return fd.error();
  std::string out;
  char buffer[64 << 10];
  while (true) {
    const auto got = ::read(fd->get(), buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return because("read", file == "-" ? "stdin" : file);
    if (got == 0) return out;
    out.append(buffer, static_cast<std::size_t>(got));
    if (out.size() > max_bytes) return too_large;
  }
}

Result<OutputFile> OutputFile::open(const std::string& file, unsigned mode, bool replace) {
  OutputFile out;
  if (file.empty() || file == "-") {
    out.fd_.reset(::dup(1));
    if (!out.fd_.valid()) return because("write to", "stdout");
    return out;
  }
  struct stat there{};
  if (::stat(file.c_str(), &there) == 0) {
    if (!S_ISREG(there.st_mode)) return Error{"bad-argument", file + " is there, and is no regular file", ""};
    if (!replace) return Error{"exists", "there is a file " + file + " already", "--force replaces it"};
  }
  out.path_ = file;
  out.replace_ = replace;
  auto unfinished = unfinished_name(file);
  out.fd_.reset(::open(unfinished.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
  if (!out.fd_.valid()) return because("make", file);
  out.unfinished_ = std::move(unfinished);
  return out;
}

OutputFile::~OutputFile() {
  if (!unfinished_.empty()) ::unlink(unfinished_.c_str());
}

Status OutputFile::write(std::string_view text) {
  while (!text.empty()) {
    const auto written = ::write(fd_.get(), text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return because("write to", is_stdout() ? "stdout" : path_);
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return Ok{};
}

Status OutputFile::finish() {
  if (is_stdout()) return Ok{};
  if (::fsync(fd_.get()) != 0) return because("write to", path_);
  if (replace_) {
    if (::rename(unfinished_.c_str(), path_.c_str()) != 0) return because("make", path_);
    unfinished_.clear();
  } else if (::link(unfinished_.c_str(), path_.c_str()) != 0) {  // never in the place of another
    if (errno == EEXIST) return Error{"exists", "there is a file " + path_ + " now", "--force replaces it"};
    return because("make", path_);
  } else {
    ::unlink(unfinished_.c_str());
    unfinished_.clear();
  }
  const UniqueFd folder(::open(folder_of(path_).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder.valid() || ::fsync(folder.get()) != 0) return because("write to", folder_of(path_));
  return Ok{};
}

}  // namespace zell::cli
