#pragma once
// Who signs, and for which application.

#include <filesystem>
#include <optional>
#include <string>

#include "cli/commands.h"
#include "cluster/user_keys.h"
#include "node/types/request.h"

namespace zell::cli {

struct SenderOptions {
  std::optional<std::string> app, key, password_file;

  void add_to(Command& command);
  [[nodiscard]] std::string app_or_default() const { return app.value_or(std::string(default_app)); }
  /// Whether any was given.
  [[nodiscard]] bool given() const { return app || key || password_file; }
};

struct Sender {
  UserKey key;
  SecretKey secret;
};
/// Asks for the passphrase if it has one. `cluster_keys` may be empty. Codes: find_user_key's, read_passphrase's,
/// decrypt_key's, "bad-app" (longer than any app's name).
[[nodiscard]] Result<Sender> open_sender(const std::filesystem::path& cluster_keys, const SenderOptions& options);
/// The secret of a key; a dev key needs no passphrase. Codes: read_passphrase's, decrypt_key's.
[[nodiscard]] Result<SecretKey> open_key(const UserKey& key, const std::string& password_file);

/// The keys of the cluster that is meant, if it is clear which; else an empty path: keys can be had without any.
[[nodiscard]] std::filesystem::path keys_of_cluster(const Environment& environment, const Globals& globals);

}  // namespace zell::cli
