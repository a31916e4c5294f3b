#include "cli/log_filter.h"

#include <algorithm>

#include "cluster/user_keys.h"
#include "node/crypto/keys.h"
#include "node/wire/request_codec.h"

namespace zell::cli {
namespace {

template <class T>
bool is_in(const std::vector<T>& list, const T& value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

}  // namespace

Names::Names(const std::filesystem::path& cluster_keys) {
  auto keys = list_user_keys(Environment::of_process(), cluster_keys);
  if (!keys) return;  // then senders are shown by address
  for (const auto& key : keys->keys) {
    if (!key.key.public_key.is_zero()) names_.emplace(key.key.public_key, key.key.name);
  }
}

std::string Names::of(const PublicKey& key) const {
  if (const auto found = names_.find(key); found != names_.end()) return found->second;
  const auto address = address_of(key);
  return address ? to_hex0x(address->view().first(4)) + "…" : "?";
}

std::optional<PublicKey> Names::named(const std::string& name) const {
  for (const auto& [key, known] : names_) {
    if (known == name) return key;
  }
  return std::nullopt;
}

bool LogFilter::matches(const Request& request) const {
  if (!apps.empty() && !is_in(apps, request.app)) return false;
  if (!ids.empty() && !is_in(ids, request.id)) return false;
  if ((!keys.empty() || !addresses.empty()) && !is_in(keys, request.sender)) {
    const auto address = address_of(request.sender);
    if (!address || !is_in(addresses, *address)) return false;
  }
  if (contains.empty()) return true;
  const auto payloads = payloads_of(request);
  return std::any_of(payloads.begin(), payloads.end(),
                     [&](ByteView payload) { return as_text(payload).find(contains) != std::string_view::npos; });
}

Result<LogFilter> make_filter(const Names& names, std::vector<std::string> apps,
                              const std::vector<std::string>& senders, const std::vector<std::string>& ids,
                              std::string contains) {
  LogFilter filter;
  filter.apps = std::move(apps);
  filter.contains = std::move(contains);
  for (const auto& sender : senders) {
    if (const auto key = names.named(sender)) {
      filter.keys.push_back(*key);
    } else if (const auto public_key = fixed_from_hex<PublicKey>(sender)) {
      filter.keys.push_back(*public_key);
    } else if (const auto address = fixed_from_hex<Address>(sender)) {
      filter.addresses.push_back(*address);
    } else {
      return Error{"no-such-key", "no sender is called '" + sender + "', and it is no address or public key",
                   "zell key ls"};
    }
  }
  for (const auto& text : ids) {
    const auto id = fixed_from_hex<RequestId>(text);
    if (!id) {
      return Error{"bad-argument", "'" + text + "' is no request id: 0x and 64 hexadecimal digits",
                   "zell log --json shows them"};
    }
    filter.ids.push_back(*id);
  }
  return filter;
}

}  // namespace zell::cli
