#include "node/runtime/driver.h"

#include <set>

#include "node/wire/request_codec.h"
#include "tests/unit/runtime/loop_fixture.h"

namespace zell {
namespace {

/// The leader of four members, with its disk and its peers in the test's hand.
struct Leader {
  Leader() {
    for (int i = 1; i <= 4; ++i) {
      auto name = "n" + std::to_string(i);
      genesis.members.push_back({name, *secp256k1_scheme().public_key(dev_secret_key(1, name)), 1});
    }
    auto store = make_memory_store(genesis, Standing::member);
    auto recovered = store->recover([](const Batch&) {});
    REQUIRE(recovered.ok());
    verifier = std::make_unique<Verifier>(genesis, secp256k1_scheme(), nullptr);
    Driver::Outlets outlets;
    outlets.commit = [this](std::vector<StorageThread::Commit> given) {
      for (const auto& commit : given) commits.push_back(commit.id);
    };
    outlets.connected = [this](NodeId) { return connected; };
    outlets.send = [this](NodeId to, Lane, FramePtr frame) {
      DecodeContext context{verifier->domain(), genesis.parameters, genesis.size()};
      auto message = decode_message(*frame, context);
      REQUIRE(message.ok());
      sent.emplace_back(to, name_of(*message));
      frames.push_back(frame);
      checked = checked && verifier->check(*message).ok();
    };
    outlets.serve = [](const ServeLog&) {};
    outlets.check = [](const CheckFinality&) {};
    outlets.event = [this](const Event& event) {
      if (auto* stop = std::get_if<Stopped>(&event)) stopped = stop->code;
    };
    outlets.progress = [](const ReplicaStatus&) {};
    outlets.stored_final = [](Index) {};
    Replica replica(genesis, NodeId{0}, {}, std::move(*recovered), {});
    driver = std::make_unique<Driver>(loop, handles, *verifier, NodeId{0}, dev_secret_key(1, "n1"), secp256k1_scheme(),
                                      std::move(replica), std::move(outlets));
    driver->feed(Tick{});
    for (std::uint16_t i = 1; i < 4; ++i) driver->feed(PeerUp{NodeId{i}});
    for (auto id : std::vector(commits)) driver->committed(id);
    commits.clear();
    sent.clear();
    frames.clear();
  }
  ~Leader() { driver->stop(); }

  void submit(std::uint64_t nonce) {
    auto request = sign_request(verifier->domain(), secp256k1_scheme(), dev_secret_key(1, "alice"), "default", nonce,
                                std::vector<Bytes>{{1, 2, 3}});
    driver->feed(Submit{{request}});
  }
  [[nodiscard]] std::size_t sent_count(std::string_view name) const {
    std::size_t count = 0;
    for (const auto& [to, what] : sent) count += what == name ? 1 : 0;
    return count;
  }

  TestLoop loop;
  HandleCountPtr handles = std::make_shared<HandleCount>();
  Genesis genesis;
  std::unique_ptr<Verifier> verifier;
  bool connected = true, checked = true;
  std::vector<PersistId> commits;
  std::vector<std::pair<NodeId, std::string_view>> sent;
  std::vector<FramePtr> frames;
  std::string stopped;
  std::unique_ptr<Driver> driver;
};

}  // namespace

TEST_CASE("a leader's proposal leaves only once it is durable: signed, encoded once, to every connected member") {
  Leader leader;
  leader.submit(1);
  REQUIRE_FALSE(leader.commits.empty());
  CHECK(leader.sent_count("Proposal") == 0);
  auto id = leader.commits.back();
  leader.driver->committed(id);
  CHECK(leader.sent_count("Proposal") == 3);
  CHECK(leader.checked);
  std::set<const Bytes*> distinct;
  for (std::size_t i = 0; i < leader.sent.size(); ++i) {
    if (leader.sent[i].second == "Proposal") distinct.insert(leader.frames[i].get());
  }
  CHECK(distinct.size() == 1);
}

TEST_CASE("a view that was left: what waited for the disk as this node's own word never leaves, the rest does") {
  Leader leader;
  leader.submit(1);
  REQUIRE(leader.sent.empty());
  for (std::uint16_t node : {1, 2}) {
    const SignedChallenge challenge{NodeId{node}, View{0}, Reason::manual, {}};
    leader.driver->feed(Received{NodeId{node}, leader.verifier->own(Challenge{challenge, nullptr, {}})});
  }
  REQUIRE(leader.driver->replica().status().view == View{1});
  for (auto id : std::vector(leader.commits)) leader.driver->committed(id);
  CHECK(leader.sent_count("Proposal") == 0);
  CHECK(leader.sent_count("Vote") == 0);
  CHECK(leader.sent_count("ViewChange") > 0);
}

TEST_CASE("a disk that fails: what waited for it never leaves, and the node says that it stopped") {
  Leader leader;
  leader.submit(1);
  leader.driver->commit_failed("no space left on device");
  CHECK(leader.sent_count("Proposal") == 0);
  CHECK(leader.stopped == "storage-failed");
  leader.submit(2);
  CHECK(leader.sent_count("Proposal") == 0);
  CHECK(leader.sent_count("Vote") == 0);
  CHECK(leader.driver->replica().status().stopped_code == "storage-failed");
}

TEST_CASE("a driver that was stopped still sends what becomes durable, and steps no more") {
  Leader leader;
  leader.submit(1);
  leader.driver->stop();
  auto commits = leader.commits.size();
  leader.driver->committed(leader.commits.back());
  CHECK(leader.sent_count("Proposal") == 3);
  leader.submit(2);
  CHECK(leader.commits.size() == commits);
}

TEST_CASE("nothing is signed or encoded for members that are not connected") {
  Leader leader;
  leader.connected = false;
  leader.submit(1);
  leader.driver->committed(leader.commits.back());
  CHECK(leader.sent.empty());
}

}  // namespace zell
