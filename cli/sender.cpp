#include "cli/sender.h"

#include "cli/passphrase.h"

namespace zell::cli {

void SenderOptions::add_to(Command& command) {
  command.option("--app", app, "APP", "The application that it is for; default if not given")
      .option("--as", key, "KEY", "Who signs: a key's name or file; alice if not given")
      .option("--password-file", password_file, "FILE", "Take the key's passphrase from its first line (mode 0600)");
}

Result<Sender> open_sender(const std::filesystem::path& cluster_keys, const SenderOptions& options) {
  if (options.app_or_default().size() > max_app_bytes) {
    return Error{"bad-app", "the app's name is longer than " + std::to_string(max_app_bytes) + " characters",
                 "use 1 to 32 of a-z, 0-9, _ and -"};
  }
  auto key = find_user_key(Environment::of_process(), cluster_keys, options.key.value_or("alice"));
  if (!key) return key.error();
  auto secret = open_key(*key, options.password_file.value_or(""));
  if (!secret) return secret.error();
  return Sender{std::move(*key), *secret};
}

Result<SecretKey> open_key(const UserKey& key, const std::string& password_file) {
  if (key.key.dev) return open_user_key(key, std::nullopt);
  auto passphrase = read_passphrase(password_file, "passphrase for " + key.key.name, false);
  if (!passphrase) return passphrase.error();
  return open_user_key(key, *passphrase);
}

std::filesystem::path keys_of_cluster(const Environment& environment, const Globals& globals) {
  auto cluster = choose_cluster(environment, globals.choice(), true);
  return cluster ? cluster->paths.keys() : std::filesystem::path();
}

}  // namespace zell::cli
