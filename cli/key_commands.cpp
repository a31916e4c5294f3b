// zell key: what users sign with. zell version.

#include "cli/key_commands.h"

#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/exit_codes.h"
#include "cli/json.h"
#include "cli/passphrase.h"
#include "cli/sender.h"
#include "node/types/genesis.h"

namespace zell::cli {
namespace {

Json to_json(const UserKey& key) {
  Json out{{"name", key.key.name},
           {"address", to_checksum_hex(key.key.address)},
           {"public_key", key.key.public_key.is_zero() ? Json() : Json(to_hex0x(key.key.public_key.view()))},
           {"dev", key.key.dev},
           {"file", key.file.string()}};
  return out;
}

int list(const Globals& globals) {
  const auto environment = Environment::of_process();
  auto found = list_user_keys(environment, keys_of_cluster(environment, globals));
  if (!found) return fail(found.error());
  const int code = found->broken.empty() ? done : negative;
  if (globals.json) {
    Json all = Json::array(), broken = Json::array();
    for (const auto& key : found->keys) all.push_back(to_json(key));
    for (const auto& [name, error] : found->broken) {
      broken.push_back({{"name", name}, {"code", error.code}, {"reason", error.what}, {"hint", error.hint}});
    }
    print_json({{"keys", all}, {"broken", broken}});
    return code;
  }
  Table table({{"NAME"}, {"ADDRESS"}, {"KIND"}, {"FILE"}});
  for (const auto& key : found->keys) {
    table.add({key.key.name, to_checksum_hex(key.key.address), key.key.dev ? "dev" : "own", key.file.string()});
  }
  table.print();
  for (const auto& broken : found->broken) talk(error_line(broken.error));
  if (found->keys.empty()) hint("try", "zell key new NAME · zell up (brings dev keys)");
  return code;
}

int show(const Globals& globals, const std::string& name) {
  const auto environment = Environment::of_process();
  auto key = find_user_key(environment, keys_of_cluster(environment, globals), name);
  if (!key) return fail(key.error());
  if (globals.json) {
    print_json(to_json(*key));
    return done;
  }
  const auto& public_key = key->key.public_key;
  print(fmt::format("name        {}", key->key.name));
  print(fmt::format("address     {}", to_checksum_hex(key->key.address)));
  print(fmt::format("public key  {}", public_key.is_zero() ? "not in the file" : to_hex0x(public_key.view())));
  print(fmt::format("kind        {}", key->key.dev ? "dev (no passphrase: never for anything of value)" : "own"));
  print(fmt::format("file        {}", key->file.string()));
  return done;
}

struct NewOptions {
  std::string name;
  std::string password_file;
  bool dev = false;
};

int make(const Globals& globals, const NewOptions& options) {
  // Before anybody types a passphrase for nothing.
  if (auto free = check_new_key(options.name); !free) return fail(free.error());
  std::string passphrase;
  if (!options.dev) {
    auto read = read_new_passphrase(options.password_file, "passphrase for " + options.name);
    if (!read) return fail(read.error());
    passphrase = *read;
  }
  return keep_key(globals, options.name, generate_secret_key(), passphrase, options.dev);
}

}  // namespace

Status check_new_key(const std::string& name) {
  if (auto status = check_key_name(name); !status) return status;
  const auto file = Environment::of_process().keys() / (name + ".json");
  std::error_code error;
  if (!std::filesystem::exists(file, error)) return Ok{};
  return Error{"exists", "there is a key called '" + name + "' already", "zell key show " + name};
}

int keep_key(const Globals& globals, const std::string& name, const SecretKey& secret, const std::string& passphrase,
             bool dev) {
  const auto environment = Environment::of_process();
  const auto cost = dev ? light_scrypt : ScryptCost{};
  auto saved = save_key(environment.keys(), name, encrypt_key(secret, passphrase, cost, dev));
  if (!saved) return fail(saved.error());
  auto key = find_user_key(environment, {}, name);
  if (!key) return fail(key.error());
  if (globals.json) {
    print_json(to_json(*key));
    return done;
  }
  print(fmt::format("{} {}  {}", check_mark(), name, to_checksum_hex(key->key.address)));
  hint("try", "zell submit hello --as " + name);
  return done;
}

void add_key_commands(Command root, const Globals& globals) {
  auto key = root.add("key", "Keys that users sign with");
  key.configured(Configured::only_globals).names_keys();
  key.examples({"zell key ls", "zell key new carol --dev", "zell key export alice"});

  auto options = std::make_shared<NewOptions>();
  auto make_command = key.add("new", "Make a key, kept encrypted with a passphrase");
  make_command.positional("NAME", options->name, "What to call it: letters, digits, . _ -", true)
      .option("--password-file", options->password_file, "FILE",
              "Take the passphrase from a file's first line (mode 0600)")
      .flag("--dev", options->dev, "No passphrase, for development only: a node refuses it off loopback")
      .examples({"zell key new carol --dev", "zell key new carol --password-file carol.pass"})
      .run([&globals, options] { return make(globals, *options); });

  auto list_command = key.add("ls", "List your keys, and those of the cluster");
  list_command.examples({"zell key ls", "zell key ls --json"}).run([&globals] { return list(globals); });

  auto name = std::make_shared<std::string>();
  auto show_command = key.add("show", "Show one key's address and public key, never its secret");
  show_command.positional("NAME", *name, "Its name, or the path of a key file", true)
      .examples({"zell key show alice", "zell key show alice --json"})
      .run([&globals, name] { return show(globals, *name); });

  add_key_file_commands(key, globals);
}

void add_version_command(Command root, const Globals& globals) {
  auto version = root.add("version", "Print this program's version");
  version.examples({"zell version", "zell version --json"}).run([&globals] {
    if (globals.json) {
      print_json({{"version", ZELL_VERSION}, {"protocol", protocol_version}});
    } else {
      print(fmt::format("zell {} (protocol {})", ZELL_VERSION, protocol_version));
    }
    return done;
  });
}

}  // namespace zell::cli
