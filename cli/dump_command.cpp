// zell cluster dump: what somebody who helps needs, in one file, and no key.

#include "cli/dump_command.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "cli/exit_codes.h"
#include "cli/interruption.h"
#include "cli/json.h"
#include "cli/status_text.h"
#include "cluster/cluster_view.h"
#include "cluster/since.h"
#include "cluster/support_bundle.h"
#include "cluster/unique_fd.h"
#include "node/base/log_line.h"

namespace zell::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::milliseconds node_timeout{2'000};
constexpr std::uint64_t default_log_mib = 4;
constexpr std::uint64_t max_log_mib = 64;  // a node keeps no more

struct DumpOptions {
  std::string name, output;
  std::optional<std::uint64_t> log_mib;
};

/// A folder for one command's files, mode 0700; gone when this is.
class Staging {
 public:
  static Result<Staging> make(const fs::path& parent) {
    auto pattern = (parent / "zell-dump-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) {
      return Error{"io", "cannot make a folder in " + parent.string() + ": " + std::generic_category().message(errno),
                   "set TMPDIR to a folder with space"};
    }
    Staging out;
    out.path_ = pattern;
    return out;
  }
  Staging(Staging&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  Staging& operator=(Staging&&) = delete;
  ~Staging() {
    std::error_code ignored;  // the system's own tidying of its temporary folder remains
    if (!path_.empty()) fs::remove_all(path_, ignored);
  }
  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  Staging() = default;
  fs::path path_;
};

/// Also one that is stopped or damaged: then most of all.
Result<FoundCluster> choose_to_dump(const Environment& environment, const ClusterChoice& choice) {
  auto chosen = choose_cluster(environment, choice, true);
  if (chosen) return chosen;
  std::error_code error;
  if (!choice.folder.empty()) {
    FoundCluster out{{}, {fs::weakly_canonical(choice.folder, error)}, {}};
    // Not just any folder: what is in it is going to be shown to others.
    if (error || !(fs::exists(out.paths.cluster_file(), error) || fs::exists(out.paths.supervisor_lock(), error)))
      return chosen;
    out.lock = look_at_lock(out.paths.supervisor_lock());
    out.file.name = out.paths.root.filename().string();
    return out;
  }
  const auto known = list_clusters(environment);
  for (const auto& cluster : known.damaged) {
    const bool only_one = choice.name.empty() && known.clusters.empty() && known.damaged.size() == 1;
    if (!choice.folder.empty() || (choice.name != cluster.name && !only_one)) continue;
    FoundCluster out{{}, cluster.paths, cluster.lock};
    out.file.name = cluster.name;
    return out;
  }
  return chosen;
}

std::string without_colour(std::string line) {
  for (auto at = line.find("\033["); at != std::string::npos; at = line.find("\033[", at)) {
    line.erase(at, line.find('m', at) - at + 1);
  }
  return line;
}

std::string status_text(const FoundCluster& cluster) {
  std::string out;
  if (const auto runs = check_running(cluster); !runs) out += runs.error().what + "\n";
  const auto view = view_cluster(cluster, node_timeout);
  if (!view) return out + "not to be had: " + view.error().what + "\n";
  for (const auto& line : status_lines(*view)) out += without_colour(line) + "\n";
  return out;
}

/// "20261122T192404Z".
std::string time_stamp() {
  auto out = format_log_time(wall_clock_ms()).substr(0, 19);
  std::erase_if(out, [](char c) { return c == '-' || c == ':'; });
  return out + "Z";
}

Result<UniqueFd> open_output(const std::string& file) {
  if (file == "-") {
    if (output_mode().terminal_out)
      return Error{"usage", "a terminal can't show a bundle", "zell cluster dump -o FILE.tar.gz"};
    return UniqueFd(::dup(STDOUT_FILENO));
  }
  UniqueFd out(::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (out.valid()) return out;
  if (errno == EEXIST) return Error{"exists", file + " is there already", "zell cluster dump -o OTHER.tar.gz"};
  return Error{"io", "cannot write " + file + ": " + std::generic_category().message(errno), ""};
}

int report(const std::string& file, std::uint64_t bytes, const std::vector<BundleFile>& files) {
  if (output_mode().json && file != "-") {
    Json entries = Json::array();
    for (const auto& entry : files) entries.push_back({{"name", entry.name}, {"bytes", entry.bytes}});
    print_json({{"file", fs::absolute(file).string()},
                {"bytes", bytes},
                {"files", entries},
                {"left_out", {"key files", "the seed of dev keys", "data folders"}},
                {"payloads", false}});
    return done;
  }
  if (file != "-") print(fmt::format("{} {}  {} bytes, readable by you alone", check_mark(), file, bytes));
  for (const auto& entry : files) talk(fmt::format("{:>10}  {}", entry.bytes, entry.name));
  talk("left out: key files, the seed of dev keys, data folders. Nodes log no payloads, so it holds none.");
  return done;
}

struct Dumped {
  std::uint64_t bytes = 0;
  std::vector<BundleFile> files;
};

/// `file`: "-" is stdout.
Result<Dumped> dump_to(const FoundCluster& cluster, const Environment& environment, const DumpOptions& options,
                       const std::string& name, const std::string& file) {
  auto staging = Staging::make(environment.temporary);
  if (!staging) return staging.error();
  const auto folder = staging->path() / name;
  std::error_code error;
  if (!fs::create_directory(folder, error))
    return Error{"io", "cannot make " + folder.string() + ": " + error.message(), ""};
  Progress progress("gathering", cluster.file.nodes.size());
  BundleOptions bundle{options.log_mib.value_or(default_log_mib) << 20, ZELL_VERSION, status_text(cluster)};
  auto files = gather_bundle(cluster, folder, bundle, [&](std::size_t nodes_done, std::size_t) -> Status {
    progress.update(nodes_done);
    if (is_interrupted()) return interruption();
    return Ok{};
  });
  if (!files) return files.error();
  auto out = open_output(file);
  if (!out) return out.error();
  auto packed = pack_folder(staging->path(), name, out->get());
  if (is_interrupted()) packed = interruption();  // tar was, too
  if (!packed) {
    if (file != "-") fs::remove(file, error);  // half of one
    return packed.error();
  }
  struct stat written{};
  const auto bytes = ::fstat(out->get(), &written) == 0 ? static_cast<std::uint64_t>(written.st_size) : 0;
  return Dumped{bytes, std::move(*files)};
}

int dump(const Globals& globals, const DumpOptions& options) {
  const auto environment = Environment::of_process();
  auto cluster = choose_to_dump(environment, globals.choice(options.name));
  if (!cluster) return fail(cluster.error());
  take_signals();
  const auto name = fmt::format("zell-dump-{}-{}", cluster->file.name, time_stamp());
  const auto file = options.output.empty() ? name + ".tar.gz" : options.output;
  const auto dumped = dump_to(*cluster, environment, options, name, file);
  if (!dumped) return fail(dumped.error());
  return report(file, dumped->bytes, dumped->files);  // when nothing is left of the gathering: this may end the process
}

}  // namespace

void add_dump(Command cluster, const Globals& globals) {
  auto options = std::make_shared<DumpOptions>();
  auto command = cluster.add("dump", "Write a support bundle: configurations, statuses, logs; no keys, no data");
  command.positional("NAME", options->name, "The cluster's name; not needed when there is only one", false)
      .option("-o,--output", options->output, "FILE", "Where to; zell-dump-NAME-TIME.tar.gz if not given, - is stdout")
      .option("--log-mib", options->log_mib, "N", "How much of each node's log; 4 MiB if not given", 1, max_log_mib)
      .examples({"zell cluster dump", "zell cluster dump -o - | tar -tz", "zell cluster dump demo --log-mib 64"})
      .run([&globals, options] { return dump(globals, *options); });
}

}  // namespace zell::cli
