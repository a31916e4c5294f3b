#pragma once
// Key files: Web3 Secret Storage v3 (scrypt, AES-128-CTR, Keccak MAC), as geth, cast, ethers and eth-account use it.

#include <filesystem>
#include <string>
#include <vector>

#include "node/crypto/keys.h"

namespace zell {

/// scrypt's cost. A person's keys: n = 2^18, p = 1. Node and dev keys: n = 4,096, p = 6 (a cluster starts at once).
struct ScryptCost {
  std::uint32_t n = 1 << 18, r = 8, p = 1;
};
inline constexpr ScryptCost light_scrypt{4'096, 8, 6};

inline constexpr std::size_t max_key_file_bytes = 64 << 10;

struct KeyFile {
  std::string name;      ///< the file's stem
  Address address;       ///< zero if the file does not say (cast leaves it out)
  PublicKey public_key;  ///< zero if the file (made elsewhere) does not say and the key was not opened
  bool dev = false;      ///< made for development: a node refuses it off loopback
};

/// A secret's 64 hexadecimal digits, with or without "0x" before and spaces around them. Code "bad-secret": anything
/// else, zero, or not below the group's order; the error doesn't repeat it.
[[nodiscard]] Result<SecretKey> parse_secret(std::string_view text);
/// The JSON text of a new key file. `dev` and the public key are written beside the standard's fields.
[[nodiscard]] std::string encrypt_key(const SecretKey& secret, std::string_view passphrase, ScryptCost cost, bool dev);
/// What a key file says without its passphrase (name is left empty). Code "bad-key-file".
[[nodiscard]] Result<KeyFile> describe_key(std::string_view json);
/// Codes "wrong-passphrase", "bad-key-file" (also if it holds another key than it names), "key-too-costly" (over 512
/// MiB, or over 16 times the work of n = 2^18, r = 8), "out-of-memory".
[[nodiscard]] Result<SecretKey> decrypt_key(std::string_view json, std::string_view passphrase);

/// NAME is 1..64 of [A-Za-z0-9._-], not beginning with . or -: code "bad-name".
[[nodiscard]] Status check_key_name(std::string_view name);
/// Writes NAME.json, mode 0600, in `folder` (made 0700 if missing). Never replaces a file: code "exists". On disk when
/// it returns. Codes: check_key_name's, "too-open", "io".
[[nodiscard]] Status save_key(const std::filesystem::path& folder, std::string_view name, std::string_view json);
/// Removes NAME.json; on disk when it returns. REQUIRES: check_key_name(name). Codes: "not-found", "io".
[[nodiscard]] Status remove_key(const std::filesystem::path& folder, std::string_view name);
/// Refuses a file or folder that others may read (code "too-open"; the hint is the chmod to run), or over 64 KiB.
[[nodiscard]] Result<std::string> load_key_file(const std::filesystem::path& file);
/// A key file that can't be used, and why; the error names the file.
struct BrokenKey {
  std::string name;
  Error error;
};
struct KeyFolder {
  std::vector<KeyFile> keys;
  std::vector<BrokenKey> broken;  ///< they don't keep the others from being used
};
/// All key files (*.json, not hidden) of a folder, by name; a missing folder has none. Codes "too-open" (the folder),
/// "io".
[[nodiscard]] Result<KeyFolder> list_keys(const std::filesystem::path& folder);

}  // namespace zell
