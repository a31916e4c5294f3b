#include "cluster/user_keys.h"

#include <iterator>

#include "node/config/nearest.h"

namespace zell {
namespace {

Status add_keys_of(const std::filesystem::path& folder, bool of_cluster, UserKeys& out) {
  auto found = list_keys(folder);
  if (!found) return found.error();
  for (auto& key : found->keys) {
    auto file = folder / (key.name + ".json");
    out.keys.push_back({std::move(key), std::move(file), of_cluster});
  }
  std::move(found->broken.begin(), found->broken.end(), std::back_inserter(out.broken));
  return Ok{};
}

Result<UserKey> key_at(const std::filesystem::path& file) {
  auto json = load_key_file(file);
  if (!json) return json.error();
  auto key = describe_key(*json);
  if (!key) return key.error();
  key->name = file.stem().string();
  return UserKey{std::move(*key), file, false};
}

}  // namespace

Result<UserKeys> list_user_keys(const Environment& environment, const std::filesystem::path& cluster_keys) {
  UserKeys out;
  if (!cluster_keys.empty()) {
    if (auto added = add_keys_of(cluster_keys, true, out); !added) return added.error();
  }
  if (auto added = add_keys_of(environment.keys(), false, out); !added) return added.error();
  return out;
}

Result<UserKey> find_user_key(const Environment& environment, const std::filesystem::path& cluster_keys,
                              const std::string& name) {
  if (name.find('/') != std::string::npos) return key_at(name);
  auto found = list_user_keys(environment, cluster_keys);
  if (!found) return found.error();
  std::vector<std::string_view> names;
  for (auto& key : found->keys) {
    if (key.key.name == name) return std::move(key);
    names.push_back(key.key.name);
  }
  for (const auto& broken : found->broken) {
    if (broken.name == name) return broken.error;
  }
  const auto near = nearest_word(name, names);
  return Error{"no-such-key", "no key is called '" + name + "'",
               near.empty() ? "zell key ls" : "did you mean " + std::string(near) + "?"};
}

Result<SecretKey> open_user_key(const UserKey& key, const std::optional<std::string>& passphrase) {
  auto json = load_key_file(key.file);
  if (!json) return json.error();
  return decrypt_key(*json, passphrase.value_or(""));
}

}  // namespace zell
