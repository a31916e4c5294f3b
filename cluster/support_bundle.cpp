#include "cluster/support_bundle.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <system_error>
#include <thread>

#include "client/http.h"
#include "cluster/cluster_view.h"
#include "cluster/unique_fd.h"
#include "node/base/log_line.h"

namespace zell {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr std::uint64_t max_text_bytes = 1 << 20;  // of a configuration, and of the supervisor's log
constexpr std::size_t max_listed_files = 10'000;
constexpr int max_logs = 16;  // files of one node's log that are looked at; it keeps 4
constexpr std::size_t least_secret_characters = 16;
constexpr std::chrono::milliseconds node_timeout{2'000};

std::string problem(int error) {
  return std::generic_category().message(error);
}

/// The last `most` bytes, from the beginning of a line on if something is left out; or why there are none.
Result<std::string> read_end(const fs::path& file, std::uint64_t most) {
  UniqueFd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  struct stat status{};
  if (!fd.valid() || ::fstat(fd.get(), &status) != 0) return Error{"io", file.string() + ": " + problem(errno), ""};
  if (!S_ISREG(status.st_mode)) return Error{"io", file.string() + " is no file", ""};
  const auto size = static_cast<std::uint64_t>(status.st_size);
  const bool cut = size > most;
  std::string out(cut ? most : size, '\0');
  std::size_t filled = 0;
  while (filled < out.size()) {
    const auto got = ::pread(fd.get(), out.data() + filled, out.size() - filled,
                             static_cast<off_t>((cut ? size - most : 0) + filled));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Error{"io", file.string() + ": " + problem(errno), ""};
    if (got == 0) break;  // it became shorter
    filled += static_cast<std::size_t>(got);
  }
  out.resize(filled);
  if (cut) out.erase(0, std::min(out.find('\n'), out.size() - 1) + 1);
  return out;
}

/// A pseudo file of /proc, which has no size.
std::string read_proc(const std::string& file) {
  std::ifstream in(file);
  std::string out(64 << 10, '\0');
  in.read(out.data(), static_cast<std::streamsize>(out.size()));
  out.resize(static_cast<std::size_t>(in.gcount()));
  return out;
}

/// Takes out what must not leave the machine, whatever file it got into.
class Redactor {
 public:
  /// Remembers what the cluster's key files hold.
  explicit Redactor(const fs::path& root) {
    std::error_code error;
    for (fs::recursive_directory_iterator it(root, error), end; !error && it != end; it.increment(error)) {
      if (it->path().extension() != ".json") continue;
      if (const auto text = read_end(it->path(), max_text_bytes)) remember(Json::parse(*text, nullptr, false));
    }
  }
  /// Every text in the bundle goes through here.
  [[nodiscard]] std::string clean(std::string text) const {
    for (const auto& secret : secrets_) {
      for (auto at = text.find(secret); at != std::string::npos; at = text.find(secret, at)) {
        text.replace(at, secret.size(), "(redacted)");
      }
    }
    return text;
  }

 private:
  void remember(const Json& key) {
    if (!key.is_object()) return;
    for (const auto* name : {"crypto", "Crypto"}) {
      if (key.contains(name)) remember_strings(key[name]);
    }
  }
  void remember_strings(const Json& value) {
    if (value.is_string() && value.get_ref<const std::string&>().size() >= least_secret_characters) {
      secrets_.push_back(value.get<std::string>());
    } else if (value.is_structured()) {
      for (const auto& part : value) remember_strings(part);
    }
  }
  std::vector<std::string> secrets_;
};

/// The keys of a cluster's nodes and users come from its seed.
std::string without_seed(const std::string& toml) {
  std::string out;
  for (std::size_t begin = 0; begin < toml.size();) {
    const auto end = std::min(toml.find('\n', begin), toml.size() - 1) + 1;
    const auto line = toml.substr(begin, end - begin);
    const auto word = line.find_first_not_of(" \t\"'");
    const bool is_seed = word != std::string::npos && line.compare(word, 4, "seed") == 0;
    out += is_seed ? "# seed = (redacted: dev keys come from it)\n" : line;
    begin = end;
  }
  return out;
}

std::string limits_text() {
  constexpr std::pair<const char*, int> named[] = {
      {"core file bytes", RLIMIT_CORE},   {"data bytes", RLIMIT_DATA},   {"file bytes", RLIMIT_FSIZE},
      {"locked bytes", RLIMIT_MEMLOCK},   {"open files", RLIMIT_NOFILE}, {"processes", RLIMIT_NPROC},
      {"address space bytes", RLIMIT_AS}, {"stack bytes", RLIMIT_STACK}, {"CPU seconds", RLIMIT_CPU}};
  const auto text = [](rlim_t value) {
    return value == RLIM_INFINITY ? std::string("unlimited") : std::to_string(value);
  };
  std::string out;
  for (const auto& [name, which] : named) {
    rlimit limit{};
    if (::getrlimit(which, &limit) == 0) {
      out += fmt::format("{:<20} {} (at most {})\n", name, text(limit.rlim_cur), text(limit.rlim_max));
    }
  }
  return out;
}

std::string system_text(const fs::path& root, const std::string& version) {
  utsname name{};
  ::uname(&name);
  struct statvfs disk{};
  const bool sees_disk = ::statvfs(root.c_str(), &disk) == 0;
  const auto now =
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch());
  auto out =
      fmt::format("zell {}, log format {}\ntime {}\n", version, log_format_version, format_log_time(now.count()));
  out += fmt::format("uname {} {} {} {}\ncores {}\nload {}", name.sysname, name.release, name.version, name.machine,
                     std::thread::hardware_concurrency(), read_proc("/proc/loadavg"));
  if (sees_disk) {
    out += fmt::format("disk of the cluster: {} bytes free of {}, {} inodes free\n", disk.f_bavail * disk.f_frsize,
                       disk.f_blocks * disk.f_frsize, disk.f_favail);
  }
  const auto memory = read_proc("/proc/meminfo");
  return out + "\nLimits of this command:\n" + limits_text() + "\nMemory:\n" +
         memory.substr(0, memory.find("Buffers:"));
}

std::string file_list(const fs::path& root) {
  std::vector<std::string> lines;
  std::error_code error;
  for (fs::recursive_directory_iterator it(root, error), end; !error && it != end; it.increment(error)) {
    struct stat status{};
    if (::lstat(it->path().c_str(), &status) != 0) continue;
    if (lines.size() == max_listed_files) break;
    lines.push_back(fmt::format("{}  {:o}  {:>12}  {}\n", format_log_time(status.st_mtim.tv_sec * 1'000LL),
                                status.st_mode & 07777, status.st_size, it->path().lexically_relative(root).string()));
  }
  std::sort(lines.begin(), lines.end(),
            [](const auto& a, const auto& b) { return a.substr(a.rfind(' ')) < b.substr(b.rfind(' ')); });
  std::string out;
  for (const auto& line : lines) out += line;
  if (lines.size() == max_listed_files) out += "... and more\n";
  return error ? out + "could not read on: " + error.message() + "\n" : out;
}

/// By what is on the disk: cluster.toml may be damaged.
std::vector<std::string> node_names(const fs::path& root) {
  std::vector<std::string> out;
  std::error_code error;
  for (fs::directory_iterator it(root, error), end; !error && it != end; it.increment(error)) {
    std::error_code ignored;
    if (fs::exists(it->path() / "node.toml", ignored)) out.push_back(it->path().filename().string());
  }
  std::sort(out.begin(), out.end());
  return out;
}

class Bundle {
 public:
  Bundle(const FoundCluster& cluster, fs::path folder, const BundleOptions& options)
      : cluster_(cluster), folder_(std::move(folder)), options_(options), redactor_(cluster.paths.root) {}

  void add_cluster(const Result<SupervisorAnswer>& processes) {
    const auto& paths = cluster_.paths;
    add("status.txt", options_.status);
    add("system.txt", system_text(paths.root, options_.version));
    add("files.txt", file_list(paths.root));
    add_file("genesis.toml", paths.genesis());
    auto file = read_end(paths.cluster_file(), max_text_bytes);
    add("cluster.toml", file ? without_seed(*file) : missing(file.error()));
    add_file("supervisor.log", paths.supervisor_log());
    add("supervisor.json", encode_answer(processes) + "\n");
  }
  void add_node(const std::string& name, const ProcessReport* process) {
    const auto folder = cluster_.paths.node(name);
    add_file(name + "/node.toml", folder / "node.toml");
    add_logs(name);
    if (process == nullptr || !process->alive()) return;
    add(name + "/limits.txt", read_proc(fmt::format("/proc/{}/limits", process->pid)));
    for (const auto& node : cluster_.file.nodes) {
      if (node.name == name && process->state == ProcessState::running) add_status(node);
    }
  }
  Result<std::vector<BundleFile>> finish() {
    add("README.txt", readme());
    if (failed_) return *failed_;
    return files_;
  }

 private:
  static std::string missing(const Error& error) { return "not to be had: " + error.what + "\n"; }

  void add(const std::string& name, const std::string& text) {
    const auto cleaned = redactor_.clean(text);
    std::error_code error;
    fs::create_directories((folder_ / name).parent_path(), error);
    std::ofstream out(folder_ / name, std::ios::binary);
    out.write(cleaned.data(), static_cast<std::streamsize>(cleaned.size()));
    out.close();
    if (!out && !failed_) failed_ = Error{"io", "cannot write " + (folder_ / name).string(), "is there space?"};
    files_.push_back({name, cleaned.size()});
  }
  void add_file(const std::string& name, const fs::path& file) {
    auto text = read_end(file, max_text_bytes);
    add(name, text ? *text : missing(text.error()));
  }
  /// From the newest file back.
  void add_logs(const std::string& name) {
    auto left = options_.log_bytes;
    for (int n = 0; n < max_logs && left > 0; ++n) {
      const auto suffix = n == 0 ? std::string() : "." + std::to_string(n);
      auto text = read_end(cluster_.paths.node_log(name).string() + suffix, left);
      if (!text) {
        if (n > 0) return;
        add(name + "/log", missing(text.error()));
        continue;
      }
      add(name + "/log" + suffix, *text);
      left -= std::min<std::uint64_t>(left, text->size());
    }
  }
  void add_status(const ClusterNode& node) {
    for (const auto* route : {"status", "certificate"}) {
      const auto reply = http_get(node.api_url() + "/v1/" + route, node_timeout);
      add(fmt::format("{}/{}.json", node.name, route), reply ? reply->body : missing(reply.error()));
      if (!reply) return;  // it would be waited for again
    }
  }
  [[nodiscard]] std::string readme() const {
    auto out = fmt::format(
        "The cluster {} as `zell cluster dump` (zell {}) saw it.\n\n"
        "In it: configurations, what the supervisor and each node say of themselves, the newest {} KiB of each\n"
        "node's log, limits, and a list of files with their sizes.\n"
        "Not in it: key files, the seed that dev keys come from, data folders. Nodes log no payloads of requests.\n\n",
        cluster_.file.name, options_.version, options_.log_bytes >> 10);
    for (const auto& file : files_) out += fmt::format("{:>10}  {}\n", file.bytes, file.name);
    return out;
  }

  const FoundCluster& cluster_;
  const fs::path folder_;
  const BundleOptions& options_;
  const Redactor redactor_;
  std::vector<BundleFile> files_;
  std::optional<Error> failed_;
};

}  // namespace

Result<std::vector<BundleFile>> gather_bundle(const FoundCluster& cluster, const fs::path& folder,
                                              const BundleOptions& options,
                                              const std::function<Status(std::size_t, std::size_t)>& step) {
  Bundle bundle(cluster, folder, options);
  Result<SupervisorAnswer> processes = Error{"not-running", "the cluster does not run", ""};
  if (cluster.running()) processes = ask_supervisor(cluster.lock.info->control_socket, {}, node_timeout);
  bundle.add_cluster(processes);
  const auto names = node_names(cluster.paths.root);
  for (std::size_t k = 0; k < names.size(); ++k) {
    if (auto going_on = step(k, names.size()); !going_on) return going_on.error();
    const ProcessReport* process = nullptr;
    if (processes) {
      for (const auto& report : processes->nodes) {
        if (report.name == names[k]) process = &report;
      }
    }
    bundle.add_node(names[k], process);
  }
  return bundle.finish();
}

Status pack_folder(const fs::path& parent, const std::string& name, int out_fd) {
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, out_fd, STDOUT_FILENO);
  std::vector<std::string> words{"tar", "-C", parent.string(), "-c", "-z", "-f", "-", name};
  std::vector<char*> arguments;
  for (auto& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  pid_t child = 0;
  const int failed = ::posix_spawnp(&child, "tar", &actions, nullptr, arguments.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) return Error{"no-tar", "cannot run tar: " + problem(failed), "install tar and gzip"};
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return Ok{};
  return Error{"io", "tar could not write the bundle", "is there space, and is gzip installed?"};
}

}  // namespace zell
