#pragma once
// The keys that users sign with: a cluster's dev keys, and a person's own.

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "cluster/paths.h"
#include "node/base/result.h"
#include "node/crypto/keystore.h"

namespace zell {

struct UserKey {
  KeyFile key;
  std::filesystem::path file;
  bool of_cluster = false;  ///< in the cluster's folder
};

struct UserKeys {
  std::vector<UserKey> keys;
  std::vector<BrokenKey> broken;
};
/// The cluster's (if `cluster_keys` is not empty) before the person's. Codes: list_keys's.
[[nodiscard]] Result<UserKeys> list_user_keys(const Environment& environment,
                                              const std::filesystem::path& cluster_keys);
/// By name, the cluster's first, or by the path of a key file (it contains a '/'). Code "no-such-key", with the
/// nearest; what is wrong with its file.
[[nodiscard]] Result<UserKey> find_user_key(const Environment& environment, const std::filesystem::path& cluster_keys,
                                            const std::string& name);
/// With the empty passphrase if it is a dev key, else with the one given. Codes: decrypt_key's.
[[nodiscard]] Result<SecretKey> open_user_key(const UserKey& key, const std::optional<std::string>& passphrase);

}  // namespace zell
