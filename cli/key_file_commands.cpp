// zell key import, export, rm: keys come from other programs' files, go to them, and go away.

#include <fmt/format.h>
#include <unistd.h>

#include <set>

#include "cli/exit_codes.h"
#include "cli/files.h"
#include "cli/json.h"
#include "cli/key_commands.h"
#include "cli/passphrase.h"
#include "cli/sender.h"
#include "node/config/nearest.h"

namespace zell::cli {
namespace {

constexpr auto new_password_option = "--new-password-file";

/// A passphrase to encrypt under, other than the one that a key has.
struct NewPassphrase {
  std::string file;
  bool ask = false;

  void add_to(Command& command) {
    command.option(new_password_option, file, "FILE", "Encrypt under this file's first line (mode 0600)")
        .flag("--new-password", ask, "Encrypt under a passphrase that is asked for");
  }
  [[nodiscard]] bool given() const { return ask || !file.empty(); }
  [[nodiscard]] Result<std::string> read(const std::string& name) const {
    return read_new_passphrase(file, "new passphrase for " + name, new_password_option);
  }
};

// ---- import

struct ImportOptions {
  std::string name, file, hex, password_file;
  NewPassphrase passphrase;
  bool dev = false;
};

struct Imported {
  SecretKey secret;
  std::string passphrase;
  bool dev;
};

Status check(const ImportOptions& options) {
  if (options.file.empty() == options.hex.empty()) {
    return Error{"usage",
                 options.file.empty() ? "which key file? Give FILE, or --hex - for a bare secret"
                                      : "give a key file or --hex -, not both",
                 "zell key import " + options.name + " FILE"};
  }
  // Not repeated: it may be a secret.
  if (!options.hex.empty() && options.hex != "-") {
    return Error{"usage", "--hex takes only - (stdin): others can see what is on the command line",
                 "zell key import " + options.name + " --hex -"};
  }
  if (!options.hex.empty() && options.passphrase.given()) {
    return Error{"usage", "a bare secret has no passphrase to be changed", "--password-file is what it is kept under"};
  }
  if (options.dev && (options.passphrase.given() || (!options.hex.empty() && !options.password_file.empty()))) {
    return Error{"usage", "a development key has no passphrase", "leave out --dev, or the passphrase"};
  }
  return check_new_key(options.name);
}

Result<Imported> from_secret(const ImportOptions& options) {
  constexpr std::size_t enough = 4'096;
  auto text = ::isatty(STDIN_FILENO) == 1
                  ? read_hidden_line("secret of " + options.name + ", in hexadecimal")
                  : read_input("-", enough, {"bad-secret", "stdin has more than a secret", "it must be 64 digits"});
  if (!text) return text.error();
  auto secret = parse_secret(*text);
  ::explicit_bzero(text->data(), text->size());
  if (!secret) return secret.error();
  if (options.dev) return Imported{*secret, "", true};
  auto passphrase = read_new_passphrase(options.password_file, "passphrase for " + options.name);
  if (!passphrase) return passphrase.error();
  return Imported{*secret, *passphrase, false};
}

/// The passphrase that the key is kept under from now on.
Result<std::string> passphrase_to_keep(const ImportOptions& options, const std::string& old) {
  if (options.passphrase.given()) return options.passphrase.read(options.name);
  if (!old.empty()) return old;
  return Error{"bad-argument", options.file + " has an empty passphrase, which protects nothing",
               "give --new-password-file FILE; or --dev, for development only"};
}

Result<Imported> from_key_file(const ImportOptions& options) {
  auto json = read_input(options.file, max_key_file_bytes,
                         {"bad-key-file", options.file + " is over 64 KiB", "it is no key file"});
  if (!json) return json.error();
  auto described = describe_key(*json);
  if (!described) return described.error();
  if (described->dev && options.passphrase.given()) {
    return Error{"usage", options.file + " is marked as a development key, which has no passphrase here",
                 "zell key import " + options.name + " " + options.file};
  }
  if (described->dev && options.password_file.empty()) {
    if (auto secret = decrypt_key(*json, "")) return Imported{*secret, "", true};
  }
  auto old = read_passphrase(options.password_file, "passphrase of " + options.file, false);
  if (!old) return old.error();
  auto secret = decrypt_key(*json, *old);
  if (!secret) return secret.error();
  if (options.dev || described->dev) return Imported{*secret, "", true};
  auto keep = passphrase_to_keep(options, *old);
  if (!keep) return keep.error();
  return Imported{*secret, *keep, false};
}

int import_key(const Globals& globals, const ImportOptions& options) {
  if (auto checked = check(options); !checked) return fail(checked.error());
  const auto imported = options.hex.empty() ? from_key_file(options) : from_secret(options);
  if (!imported) return fail(imported.error());
  return keep_key(globals, options.name, imported->secret, imported->passphrase, imported->dev);
}

// ---- export

struct ExportOptions {
  std::string name, output, password_file;
  NewPassphrase passphrase;
  bool hex = false, yes = false, force = false;
};

Status confirm_hex(const ExportOptions& options, const UserKey& key) {
  if (options.yes) return Ok{};
  return confirm(fmt::format("whoever sees the secret of {} ({}) can sign with it. To go on, type its name:",
                             key.key.name, to_checksum_hex(key.key.address)),
                 key.key.name);
}

/// What leaves: the bare secret, the file under another passphrase, or the file as it is.
Result<std::string> content_of(const ExportOptions& options, const UserKey& key) {
  if (!options.hex && !options.passphrase.given() && options.password_file.empty()) return load_key_file(key.file);
  const auto secret = open_key(key, options.password_file);
  if (!secret) return secret.error();
  if (options.hex) return to_hex0x(secret->bytes()) + "\n";
  if (!options.passphrase.given()) return load_key_file(key.file);  // it was only to be seen whether it opens
  const auto passphrase = options.passphrase.read(key.key.name);
  if (!passphrase) return passphrase.error();
  return encrypt_key(*secret, *passphrase, ScryptCost{}, key.key.dev);
}

Json describe(const UserKey& key) {
  return {{"name", key.key.name}, {"address", to_checksum_hex(key.key.address)}, {"dev", key.key.dev}};
}

int print_exported(const Globals& globals, const ExportOptions& options, const UserKey& key, OutputFile& output,
                   const std::string& content) {
  auto document = describe(key);
  if (globals.json && output.is_stdout()) {
    if (options.hex) {
      document["secret"] = content.substr(0, content.find('\n'));
    } else {
      document["key"] = Json::parse(content);  // it was read as a key file
    }
    print_json(std::move(document));
    return done;
  }
  auto written = output.write(content);
  if (written) written = output.finish();
  if (!written) return fail(written.error());
  if (output.is_stdout()) return done;
  document["file"] = options.output;
  if (globals.json) {
    print_json(std::move(document));
  } else {
    print(fmt::format("{} {}  {}  {}", check_mark(), key.key.name, to_checksum_hex(key.key.address), options.output));
  }
  return done;
}

int export_key(const Globals& globals, const ExportOptions& options) {
  if (options.hex && options.passphrase.given()) {
    return fail({"usage", "--hex leaves the secret bare: it is not encrypted under any passphrase",
                 "leave out --hex, or the new passphrase"});
  }
  const auto environment = Environment::of_process();
  const auto key = find_user_key(environment, keys_of_cluster(environment, globals), options.name);
  if (!key) return fail(key.error());
  auto output = OutputFile::open(options.output, 0600, options.force);
  if (!output) return fail(output.error());
  if (options.hex) {
    if (auto sure = confirm_hex(options, *key); !sure) return fail(sure.error());
  }
  const auto content = content_of(options, *key);
  if (!content) return fail(content.error());
  return print_exported(globals, options, *key, *output, *content);
}

// ---- rm

struct RemoveOptions {
  std::vector<std::string> names;
  bool yes = false;
};

Error not_own(const std::string& name, const KeyFolder& own, const std::filesystem::path& cluster_keys) {
  std::error_code error;
  if (!cluster_keys.empty() && std::filesystem::exists(cluster_keys / (name + ".json"), error)) {
    return {"bad-argument", "'" + name + "' is a key of the cluster, and goes with it", "zell cluster rm"};
  }
  std::vector<std::string_view> names;
  for (const auto& key : own.keys) names.emplace_back(key.name);
  const auto near = nearest_word(name, names);
  return {"no-such-key", "you have no key called '" + name + "'",
          near.empty() ? "zell key ls" : "did you mean " + std::string(near) + "?"};
}

/// How each of the keys is called for a person: "carol (0x…)". Also those whose files are broken.
Result<std::vector<std::string>> own_keys(const std::set<std::string>& names, const KeyFolder& own,
                                          const std::filesystem::path& cluster_keys) {
  std::vector<std::string> out;
  for (const auto& name : names) {
    const auto called = [&](const auto& key) { return key.name == name; };
    const auto key = std::find_if(own.keys.begin(), own.keys.end(), called);
    const bool broken = std::any_of(own.broken.begin(), own.broken.end(), called);
    if (key == own.keys.end() && !broken) return not_own(name, own, cluster_keys);
    out.push_back(broken ? name + " (its file is broken)"
                         : fmt::format("{} ({})", name, to_checksum_hex(key->address)));
  }
  return out;
}

int remove_keys(const Globals& globals, const RemoveOptions& options) {
  const std::set<std::string> names(options.names.begin(), options.names.end());
  if (names.empty()) return fail({"usage", "which keys? Give their names", "zell key ls"});
  const auto environment = Environment::of_process();
  auto own = list_keys(environment.keys());
  if (!own) return fail(own.error());
  const auto keys = own_keys(names, *own, keys_of_cluster(environment, globals));
  if (!keys) return fail(keys.error());
  if (!options.yes) {
    const auto question =
        fmt::format("remove {} for good? Nobody can sign with {} any more. Type yes:", fmt::join(*keys, ", "),
                    keys->size() == 1 ? "it" : "them");
    if (auto sure = confirm(question, "yes"); !sure) return fail(sure.error());
  }
  for (const auto& name : names) {
    if (auto removed = remove_key(environment.keys(), name); !removed) return fail(removed.error());
    if (!globals.json) print(fmt::format("removed {}", name));
  }
  if (globals.json) print_json({{"removed", names}});
  return done;
}

void add_import(Command& key, const Globals& globals) {
  auto options = std::make_shared<ImportOptions>();
  auto command = key.add("import", "Take in a key file of geth, cast, ethers or eth-account, or a bare secret");
  command.positional("NAME", options->name, "What to call it: letters, digits, . _ -", true)
      .positional("FILE", options->file, "A Web3 Secret Storage file of version 3; - is stdin", false)
      .option("--hex", options->hex, "-", "A bare secret in hexadecimal, from stdin; asked for on a terminal")
      .option("--password-file", options->password_file, "FILE",
              "Take the passphrase from a file's first line (mode 0600)");
  options->passphrase.add_to(command);
  command
      .flag("--dev", options->dev, "Keep it without a passphrase, for development only: a node refuses it off loopback")
      .examples({"zell key import carol wallet.json --password-file carol.pass",
                 "zell key export alice --hex --yes | zell key import carol --hex - --dev"})
      .run([&globals, options] { return import_key(globals, *options); });
}

void add_export(Command& key, const Globals& globals) {
  auto options = std::make_shared<ExportOptions>();
  auto command = key.add("export", "Give out a key file, for geth, cast, ethers or eth-account, or a bare secret");
  command.positional("NAME", options->name, "Its name, or the path of a key file", true)
      .option("-o,--output", options->output, "FILE", "Write to this file (mode 0600) instead of stdout")
      .flag("--force", options->force, "Replace the file if it is there");
  options->passphrase.add_to(command);
  command
      .option("--password-file", options->password_file, "FILE",
              "Take the key's passphrase from its first line (mode 0600), and see that it opens the file")
      .flag("--hex", options->hex, "The bare secret instead of the encrypted file")
      .flag("--yes", options->yes, "Don't ask before the bare secret is shown")
      .examples(
          {"zell key export alice", "zell key export alice -o alice.key --force", "zell key export alice --hex --yes"})
      .run([&globals, options] { return export_key(globals, *options); });
}

void add_remove(Command& key, const Globals& globals) {
  auto options = std::make_shared<RemoveOptions>();
  auto command = key.add("rm", "Remove keys of your own for good");
  command.positionals("NAME", options->names, "Their names; keys of a cluster go with it")
      .flag("--yes", options->yes, "Don't ask")
      .examples({"zell key rm carol --yes", "zell key rm carol --yes --json"})
      .run([&globals, options] { return remove_keys(globals, *options); });
}

}  // namespace

void add_key_file_commands(Command& key, const Globals& globals) {
  add_import(key, globals);
  add_export(key, globals);
  add_remove(key, globals);
}

}  // namespace zell::cli
