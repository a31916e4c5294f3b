#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <fstream>
#include <thread>

#include "node/crypto/keystore.h"

using namespace zell;
namespace fs = std::filesystem;

namespace {

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = (fs::temp_directory_path() / "zell-keys-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
  }
  ~TemporaryFolder() { fs::remove_all(path_); }
  [[nodiscard]] fs::path operator/(const std::string& name) const { return path_ / name; }

 private:
  fs::path path_;
};

std::string a_key(const std::string& name) {
  return encrypt_key(dev_secret_key(1, name), "pass", ScryptCost{2, 8, 1}, true);
}

unsigned mode_of(const fs::path& path) {
  struct stat info{};
  REQUIRE(::stat(path.c_str(), &info) == 0);
  return info.st_mode & 07777;
}

void set_mode(const fs::path& path, mode_t mode) {
  REQUIRE(::chmod(path.c_str(), mode) == 0);
}

std::size_t entries_in(const fs::path& folder) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

}  // namespace

TEST_CASE("a saved key is its owner's alone, in a folder that is too") {
  const TemporaryFolder home;
  const auto old_mask = ::umask(0);
  const auto saved = save_key(home / "data/keys", "alice", a_key("alice"));
  ::umask(old_mask);
  REQUIRE(saved.ok());
  CHECK(mode_of(home / "data/keys") == 0700);
  CHECK(mode_of(home / "data/keys/alice.json") == 0600);
  CHECK(entries_in(home / "data/keys") == 1);
  const auto text = load_key_file(home / "data/keys/alice.json");
  REQUIRE(text.ok());
  CHECK(decrypt_key(*text, "pass")->bytes() == dev_secret_key(1, "alice").bytes());
}

TEST_CASE("a key file is never replaced") {
  const TemporaryFolder home;
  const auto keys = home / "keys";
  const auto first = a_key("alice");
  REQUIRE(save_key(keys, "alice", first).ok());
  const auto again = save_key(keys, "alice", a_key("alice"));
  REQUIRE_FALSE(again.ok());
  CHECK(again.error().code == "exists");
  CHECK(*load_key_file(keys / "alice.json") == first);
  CHECK(entries_in(keys) == 1);
}

TEST_CASE("of those who save one name at once, one succeeds, and its file is whole") {
  const TemporaryFolder home;
  const auto keys = home / "keys";
  std::vector<std::string> texts;
  for (int i = 0; i < 8; ++i) texts.push_back(a_key(std::to_string(i)));
  std::vector<std::string> codes(texts.size());
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    threads.emplace_back([&, i] {
      const auto saved = save_key(keys, "same", texts[i]);
      codes[i] = saved ? "ok" : saved.error().code;
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(std::count(codes.begin(), codes.end(), "ok") == 1);
  CHECK(std::count(codes.begin(), codes.end(), "exists") == 7);
  const auto winner = static_cast<std::size_t>(std::find(codes.begin(), codes.end(), "ok") - codes.begin());
  CHECK(*load_key_file(keys / "same.json") == texts[winner]);
  CHECK(entries_in(keys) == 1);
}

TEST_CASE("a file that others may use is refused, with the command that mends it") {
  const TemporaryFolder home;
  const auto keys = home / "keys";
  REQUIRE(save_key(keys, "alice", a_key("alice")).ok());
  const auto file = keys / "alice.json";
  for (const mode_t mode : {0640, 0604, 0620, 0602, 0644, 0666}) {
    set_mode(file, mode);
    const auto loaded = load_key_file(file);
    REQUIRE_FALSE(loaded.ok());
    CHECK(loaded.error().code == "too-open");
    CHECK(loaded.error().hint == "chmod 600 " + file.string());
    CHECK(list_keys(keys)->keys.empty());
    CHECK(list_keys(keys)->broken.at(0).error.code == "too-open");
  }
  set_mode(file, 0400);
  CHECK(load_key_file(file).ok());
}

TEST_CASE("a folder that others may use is refused, for reading and for saving") {
  const TemporaryFolder home;
  const auto keys = home / "keys";
  REQUIRE(save_key(keys, "alice", a_key("alice")).ok());
  for (const mode_t mode : {0750, 0705, 0711, 0755, 0777}) {
    set_mode(keys, mode);
    const auto loaded = load_key_file(keys / "alice.json");
    REQUIRE_FALSE(loaded.ok());
    CHECK(loaded.error().code == "too-open");
    CHECK(loaded.error().hint == "chmod 700 " + keys.string());
    const auto saved = save_key(keys, "bob", a_key("bob"));
    REQUIRE_FALSE(saved.ok());
    CHECK(saved.error().code == "too-open");
  }
  CHECK(entries_in(keys) == 1);
}

TEST_CASE("names that would leave the folder or hide in it are refused") {
  const TemporaryFolder home;
  for (const std::string name : {"", ".", "..", "../x", "a/b", ".hidden", "-rf", "a b", "a\n", "\xc3\xa4"}) {
    const auto saved = save_key(home / "keys", name, "{}");
    REQUIRE_FALSE(saved.ok());
    CHECK(saved.error().code == "bad-name");
  }
  CHECK_FALSE(save_key(home / "keys", std::string(65, 'a'), "{}").ok());
  CHECK_FALSE(save_key(home / "keys", std::string_view("a\0b", 3), "{}").ok());
  CHECK_FALSE(fs::exists(home / "keys"));
  CHECK(save_key(home / "keys", std::string(64, 'a'), "{}").ok());
}

TEST_CASE("what is no key file is refused without reading it whole or waiting") {
  const TemporaryFolder home;
  const auto keys = home / "keys";
  REQUIRE(save_key(keys, "alice", a_key("alice")).ok());
  CHECK(load_key_file(keys / "nobody.json").error().code == "not-found");
  CHECK(load_key_file(keys).error().code == "bad-key-file");

  const auto pipe = keys / "pipe.json";
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  CHECK(load_key_file(pipe).error().code == "bad-key-file");

  const auto large = keys / "large.json";
  std::ofstream(large) << std::string((64 << 10) + 1, ' ');
  set_mode(large, 0600);
  CHECK(load_key_file(large).error().code == "bad-key-file");
  fs::resize_file(large, 64 << 10);
  CHECK(load_key_file(large)->size() == 64 << 10);
}

TEST_CASE("keys are listed by name, and a missing folder has none") {
  const TemporaryFolder home;
  const auto keys = home / "keys";
  REQUIRE(list_keys(keys).ok());
  CHECK(list_keys(keys)->keys.empty());
  for (const auto* name : {"carol", "alice", "bob.2"}) REQUIRE(save_key(keys, name, a_key(name)).ok());
  std::ofstream(keys / "notes.txt") << "not a key";
  std::ofstream(keys / ".unfinished.json") << "{";
  const auto listed = list_keys(keys);
  REQUIRE(listed.ok());
  REQUIRE(listed->keys.size() == 3);
  CHECK(listed->broken.empty());
  CHECK(listed->keys[0].name == "alice");
  CHECK(listed->keys[1].name == "bob.2");
  CHECK(listed->keys[2].name == "carol");
  for (const auto& key : listed->keys) {
    CHECK(key.public_key == secp256k1_scheme().public_key(dev_secret_key(1, key.name)));
    CHECK(key.dev);
  }
}

TEST_CASE("a broken key file in a folder is named, and the others are listed") {
  const TemporaryFolder home;
  const auto keys = home / "keys";
  REQUIRE(save_key(keys, "alice", a_key("alice")).ok());
  REQUIRE(save_key(keys, "broken", "{").ok());
  const auto listed = list_keys(keys);
  REQUIRE(listed.ok());
  REQUIRE(listed->keys.size() == 1);
  CHECK(listed->keys[0].name == "alice");
  REQUIRE(listed->broken.size() == 1);
  CHECK(listed->broken[0].name == "broken");
  CHECK(listed->broken[0].error.code == "bad-key-file");
  CHECK(listed->broken[0].error.what.find("broken.json") != std::string::npos);
}

TEST_CASE("a folder of keys that others may use is refused as a whole") {
  const TemporaryFolder home;
  const auto keys = home / "keys";
  REQUIRE(save_key(keys, "alice", a_key("alice")).ok());
  set_mode(keys, 0750);
  const auto listed = list_keys(keys);
  REQUIRE_FALSE(listed.ok());
  CHECK(listed.error().code == "too-open");
  CHECK(listed.error().hint == "chmod 700 " + keys.string());
}

TEST_CASE("a removed key is gone, and the others stay") {
  const TemporaryFolder home;
  const auto keys = home / "keys";
  for (const auto* name : {"alice", "bob"}) REQUIRE(save_key(keys, name, a_key(name)).ok());
  CHECK(remove_key(keys, "alice").ok());
  CHECK(remove_key(keys, "alice").error().code == "not-found");
  REQUIRE(list_keys(keys)->keys.size() == 1);
  CHECK(list_keys(keys)->keys[0].name == "bob");
  CHECK(save_key(keys, "alice", a_key("alice")).ok());
}

TEST_CASE("a folder written with a slash at its end is the same folder") {
  const TemporaryFolder home;
  REQUIRE(save_key((home / "keys").string() + "/", "alice", a_key("alice")).ok());
  CHECK(mode_of(home / "keys") == 0700);
  CHECK(list_keys((home / "keys").string() + "/")->keys.size() == 1);
}
