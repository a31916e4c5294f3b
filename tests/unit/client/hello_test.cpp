// examples/hello as a user runs it: replicas on different nodes print the same, also when a node lies.

#include <sys/wait.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

#include "node/config/genesis_file.h"
#include "tests/unit/client/client_fixture.h"

using namespace zell;
using namespace zell::testing;

namespace {

struct Ran {
  int code = -1;
  std::string output;  ///< stdout and stderr
};

Ran run_hello(const std::string& arguments) {
  Ran out;
  auto* pipe = popen((std::string(ZELL_HELLO) + " " + arguments + " 2>&1").c_str(), "r");
  REQUIRE(pipe != nullptr);
  char bytes[4096];
  while (auto got = fread(bytes, 1, sizeof bytes, pipe)) out.output.append(bytes, got);
  int status = pclose(pipe);
  if (WIFEXITED(status)) out.code = WEXITSTATUS(status);
  return out;
}

struct Folder {
  Folder() {
    char name[] = "/tmp/zell-hello-XXXXXX";
    REQUIRE(mkdtemp(name) != nullptr);
    path = name;
  }
  ~Folder() { std::filesystem::remove_all(path); }
  std::filesystem::path path;
};

std::string write_genesis(const Folder& folder, std::initializer_list<HttpFixture*> nodes) {
  GenesisFile file{Chain().genesis, {}};
  for (auto* node : nodes) file.endpoints.push_back({"", node->url()});
  file.endpoints.resize(file.genesis.size());
  auto path = (folder.path / "genesis.toml").string();
  std::ofstream(path) << format_genesis(file);
  return path;
}

}  // namespace

TEST_CASE("hello: replicas that follow different nodes, one of them a liar, count alike") {
  auto chain = grown(3, 4, "counter");
  chain.append({chain.request(900, "add 5", "other"), chain.request(901, "multiply 7", "counter")});
  HttpFixture liar(chain), honest(chain);
  liar.on_loop([](FakeNode& node) {
    node.tamper_page = [&node](LogPage& page) {
      auto batch = std::make_shared<Batch>(*page.finalised.back());
      batch->requests =
          std::make_shared<Requests>(Requests{node.chain.request(901, "add 1000", "counter"), (*batch->requests)[1]});
      page.finalised.back() = batch;
    };
  });
  Folder folder;
  auto genesis = write_genesis(folder, {&liar, &honest});
  auto at_honest = run_hello(genesis + " --node n2 --until 14");
  CHECK(at_honest.code == 0);
  CHECK(at_honest.output.find("#12  count 78\n#14  count 78  (not an operation)\n") != std::string::npos);
  auto at_liar = run_hello(genesis + " --node n1 --until 14");
  CHECK(at_liar.code == 0);
  auto first_line = at_liar.output.substr(0, at_liar.output.find('\n') + 1);
  CHECK(first_line.find("hello: n1 lied about root") == 0);
  CHECK(at_liar.output.substr(first_line.size()) == at_honest.output);
}

TEST_CASE("hello: misuse, a missing file and dead nodes have their exit codes") {
  Folder folder;
  auto dead = std::make_unique<HttpFixture>();
  auto genesis = write_genesis(folder, {dead.get()});
  CHECK(run_hello("").code == 2);
  CHECK(run_hello(genesis + " --until x").code == 2);
  CHECK(run_hello(genesis + " --node n9").code == 1);
  CHECK(run_hello((folder.path / "missing.toml").string()).code == 1);
}
