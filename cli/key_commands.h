#pragma once
// What the files of `zell key` share.

#include <string>

#include "cli/commands.h"
#include "node/crypto/keys.h"

namespace zell::cli {

/// key import, export, rm.
void add_key_file_commands(Command& key, const Globals& globals);

/// A key of one's own may be called that. Codes: "bad-name", "exists".
[[nodiscard]] Status check_new_key(const std::string& name);
/// Keeps it as one's own, encrypted, and says so; returns the exit code. A dev key has the empty passphrase.
[[nodiscard]] int keep_key(const Globals& globals, const std::string& name, const SecretKey& secret,
                           const std::string& passphrase, bool dev);

}  // namespace zell::cli
