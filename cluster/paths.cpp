#include "cluster/paths.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "node/crypto/hash.h"

namespace zell {
namespace {

std::filesystem::path folder_from(const char* variable, const std::filesystem::path& otherwise) {
  const char* value = std::getenv(variable);
  // The XDG specification: a relative path is to be ignored.
  if (value == nullptr || value[0] != '/') return otherwise;
  return value;
}

std::string per_user_name() {
  return "zell-" + std::to_string(::getuid());
}

}  // namespace

Environment Environment::of_process() {
  const auto home = folder_from("HOME", "/");
  return {folder_from("XDG_DATA_HOME", home / ".local" / "share"),
          folder_from("XDG_STATE_HOME", home / ".local" / "state"), folder_from("XDG_RUNTIME_DIR", {}),
          folder_from("TMPDIR", "/tmp")};
}

std::filesystem::path Environment::ephemeral_clusters() const {
  return temporary / per_user_name() / "clusters";
}

Status ensure_private_folder(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder.parent_path(), error);
  if (error) {
    return Error{"io", "cannot make the folder " + folder.parent_path().string() + ": " + error.message(), ""};
  }
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) {
    return Error{"io", "cannot make the folder " + folder.string() + ": " + std::generic_category().message(errno), ""};
  }
  struct stat status{};
  if (::lstat(folder.c_str(), &status) != 0 || !S_ISDIR(status.st_mode)) {
    return Error{"io", folder.string() + " is no folder", "move it away"};
  }
  if (status.st_uid != ::getuid()) {
    return Error{"too-open", "the folder " + folder.string() + " belongs to another user", "move it away"};
  }
  if ((status.st_mode & 0077) != 0) {
    return Error{"too-open", "others may enter the folder " + folder.string(), "chmod 700 " + folder.string()};
  }
  return Ok{};
}

Result<std::filesystem::path> make_socket_path(const Environment& environment, std::string_view file) {
  std::filesystem::path folders[3];
  std::size_t count = 0;
  if (!environment.runtime_dir.empty()) folders[count++] = environment.runtime_dir / "zell";
  folders[count++] = environment.temporary / per_user_name();
  folders[count++] = std::filesystem::path("/tmp") / per_user_name();
  for (std::size_t i = 0; i < count; ++i) {
    auto path = folders[i] / file;
    if (path.string().size() > max_socket_path_bytes) continue;
    auto made = ensure_private_folder(folders[i]);
    if (made) return path;
    // A runtime folder that is gone or read-only is no reason to give up; one that is open to others is.
    if (made.error().code == "too-open" || i + 1 == count) return made.error();
  }
  return Error{"path-too-long", "no short enough folder for the socket " + std::string(file), "set XDG_RUNTIME_DIR"};
}

Status check_cluster_name(std::string_view name) {
  const auto allowed = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; };
  if (!name.empty() && name.size() <= 32 && name.front() != '-' && std::all_of(name.begin(), name.end(), allowed)) {
    return Ok{};
  }
  return Error{"bad-name", "a cluster's name has 1 to 32 characters of a-z, 0-9 and -, and does not start with -",
               "zell up my-cluster"};
}

std::string ClusterPaths::socket_stem(std::string_view cluster_name) const {
  std::error_code error;
  auto absolute = std::filesystem::weakly_canonical(root, error);
  if (error) absolute = root;
  const auto digest = sha256(as_bytes(absolute.string()));
  return std::string(cluster_name) + "-" + to_hex(digest.view().first(4));
}

}  // namespace zell
