#pragma once
// Which requests of the log are meant, and what their senders are called here.

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "node/base/result.h"
#include "node/types/request.h"

namespace zell::cli {

/// What senders are called here.
class Names {
 public:
  explicit Names(const std::filesystem::path& cluster_keys);
  /// A name, or how the address begins.
  [[nodiscard]] std::string of(const PublicKey& key) const;
  [[nodiscard]] std::optional<PublicKey> named(const std::string& name) const;

 private:
  std::map<PublicKey, std::string> names_;
};

/// What each kind of word picks is joined by or, the kinds by and. An empty kind picks everything.
struct LogFilter {
  std::vector<std::string> apps;
  std::vector<PublicKey> keys;
  std::vector<Address> addresses;
  std::vector<RequestId> ids;
  std::string contains;  ///< some payload holds these bytes

  [[nodiscard]] bool all() const {
    return apps.empty() && keys.empty() && addresses.empty() && ids.empty() && contains.empty();
  }
  [[nodiscard]] bool matches(const Request& request) const;
};

/// A sender is a name, an address or a public key. Codes: "no-such-key", "bad-argument" (an id that is none).
[[nodiscard]] Result<LogFilter> make_filter(const Names& names, std::vector<std::string> apps,
                                            const std::vector<std::string>& senders,
                                            const std::vector<std::string>& ids, std::string contains);

}  // namespace zell::cli
