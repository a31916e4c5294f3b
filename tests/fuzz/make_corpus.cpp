// Writes the seeds that the fuzz targets start from: fuzz_make_corpus FOLDER. The same files every time. What fuzzing
// found worth keeping lies beside them.

#include <filesystem>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>

#include "client/answers.h"
#include "client/proof_documents.h"
#include "cluster/cluster_file.h"
#include "cluster/supervisor_protocol.h"
#include "node/config/genesis_file.h"
#include "node/config/node_config.h"
#include "node/http/signed_request.h"
#include "node/storage/row_codec.h"
#include "node/transport/send_queue.h"
#include "tests/fuzz/stand_in.h"
#include "tests/support/chain.h"

namespace {

namespace fs = std::filesystem;
using namespace zell;
using Json = nlohmann::json;

constexpr std::uint64_t seed = 1;

void save(const fs::path& folder, const std::string& name, ByteView bytes) {
  fs::create_directories(folder);
  std::ofstream file(folder / name, std::ios::binary);
  file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  file.close();
  if (!file) throw fs::filesystem_error("cannot write", folder / name, std::error_code());
}

/// `choice`: the first byte, by which a target chooses its reader.
void save(const fs::path& folder, const std::string& name, char choice, std::string_view text) {
  save(folder, name, as_bytes(std::string(1, choice).append(text)));
}

void save_wire(const fs::path& folder) {
  const auto& context = testing::fuzz_context();
  testing::RandomMessages random(seed, context);
  for (std::size_t kind = 0; kind < std::variant_size_v<Message>; ++kind) {
    const auto message = random.message(kind);
    save(folder / "message", std::string(name_of(message)), encode_message(message, context.domain.epoch));
  }
  for (std::size_t kind = 0; kind < std::variant_size_v<Evidence>; ++kind) {
    const auto name = "evidence-" + std::to_string(kind + 1);
    const auto evidence = std::make_shared<const Evidence>(random.evidence(kind));
    const Challenge challenge{{{1}, {2}, Reason::equivocation, {}}, evidence, {}};
    save(folder / "message", name, encode_message(challenge, context.domain.epoch));
    Writer alone;
    write_evidence(alone, *evidence);
    save(folder / "evidence", std::to_string(kind + 1), alone.bytes());
  }
  for (int i = 1; i <= 2; ++i) {
    const auto name = std::to_string(i);
    Writer certificate;
    write_certificate(certificate, random.certificate());
    save(folder / "request", name, random.request()->canonical);
    save(folder / "certificate", name, certificate.bytes());
    save(folder / "durable_state", name, encode_durable_state(random.durable_state()));
  }
}

void save_rows(const fs::path& folder) {
  const auto& context = testing::fuzz_context();
  testing::RandomMessages random(seed, context);
  const auto batch = random.batch();
  const auto columns = encode_batch_columns(first_key(batch->header.end.index), *batch);
  Writer row;
  row.u8(0);
  row.u64(static_cast<std::uint64_t>(first_key(batch->header.end.index).value) << 1);
  row.sized(ByteView(columns.header).first(columns.header.size() - 16));
  row.sized(columns.ids);
  row.raw(columns.requests);
  save(folder / "stored_rows", "batch", row.bytes());
  std::vector<MessagePtr> proof;
  for (std::size_t kind : {6, 8}) proof.push_back(std::make_shared<const Message>(random.message(kind)));
  const auto entry = encode_entry_proof(proof, context.domain.epoch);
  save(folder / "stored_rows", "entry-proof", '\1', as_text(entry));
  save(folder / "stored_rows", "sealed", '\2',
       as_text(seal(Sealed::state, encode_durable_state(random.durable_state()))));
}

void save_transport(const fs::path& folder) {
  SendQueue queue({1 << 20, 1 << 20, 1 << 20});
  for (std::size_t i = 0; i < lane_count; ++i) {
    ZELL_CHECK(queue.push(static_cast<Lane>(i), std::make_shared<const Bytes>(40 + i, static_cast<std::uint8_t>(i))));
  }
  Bytes wire{7};
  const auto batch = queue.take(1'000);
  for (auto piece : batch.pieces()) wire.insert(wire.end(), piece.begin(), piece.end());
  save(folder / "segments", "three-lanes", wire);

  const auto& domain = testing::fuzz_context().domain;
  Signature signature;
  signature.bytes[0] = 5;
  Bytes meeting = encode_handshake(Hello{1, domain.cluster, {5}, {}});
  for (auto byte : encode_handshake(Proof{signature})) meeting.push_back(byte);
  save(folder / "handshake", "hello-proof", meeting);
  save(folder / "handshake", "knock", encode_handshake(Knock{1, domain.cluster, {2}}));
  save(folder / "handshake", "refusal", encode_handshake(Refusal{Cause::wrong_cluster}));
}

void save_config(const fs::path& folder) {
  testing::Chain chain;
  GenesisFile genesis{chain.genesis, {}};
  for (std::size_t i = 0; i < chain.genesis.size(); ++i) {
    const auto port = std::to_string(7101 + i);
    genesis.endpoints.push_back({"127.0.0.1:" + port, "http://[::1]:" + port});
  }
  save(folder / "genesis_file", "four-nodes", as_bytes(format_genesis(genesis)));

  NodeConfig config;
  config.name = "n1";
  config.genesis_file = "/cluster/genesis.toml";
  config.data_folder = "/cluster/n1";
  config.key_file = "/cluster/n1.json";
  config.passphrase_file = "/cluster/pass";
  config.listen = {"127.0.0.1", 7101};
  config.api = {"::1", 7001};
  config.control_socket = "/cluster/n1.sock";
  config.log_file = "/cluster/n1.log";
  config.peers = {{"n2", {"node.example", 7102}}};
  save(folder / "node_config", "all-keys", as_bytes(format_node_config(config)));

  const ClusterFile cluster{"demo", 7000, 5, false, {{"n1", 3, {7001, 7101}}, {"n2", 1, {7002, 7102}}}};
  save(folder / "cluster_file", "two-nodes", '\0', render_cluster_file(cluster));
  save(folder / "cluster_file", "stakes", '\1', "3,1,1,18446744073709551000");
  save(folder / "cluster_file", "selector", '\2', "leader,followers:1,n3");
}

Json json_of(const Request& request) {
  auto payloads = Json::array();
  for (auto payload : payloads_of(request)) payloads.push_back(to_hex0x(payload));
  return {{"app", request.app},
          {"nonce", std::to_string(request.nonce)},
          {"payloads", payloads},
          {"sender", to_hex0x(request.sender.view())},
          {"signature", to_hex0x(request.signature.view())}};
}

void save_http(const fs::path& folder) {
  testing::Chain chain;
  const auto one = chain.request(7, "hi"), two = chain.request(8, "ho");
  const auto json = Json{{"requests", {json_of(*one), json_of(*two)}}}.dump();
  std::string binary(as_text(one->canonical));
  binary += as_text(two->canonical);
  save(folder / "submit_body", "json", '\0', json);
  save(folder / "submit_body", "binary", '\1', binary);
  save(folder / "submit_body", "signed", '\0', write_signed_request(*one, testing::fuzz_context().domain.cluster));

  const auto route = [&](const std::string& name, const std::string& line, const std::string& body = {}) {
    save(folder / "http_routes", name,
         as_bytes(line + "\napplication/json\n*/*\nlocalhost:80\nhttp://[::1]:80\n" + body));
  };
  route("submit", "POST /v1/requests?wait=finalised&timeout_ms=5", json);
  route("request", "GET /v1/requests/" + to_hex0x(one->id.view()) + "?wait=locked");
  route("proof", "GET /v1/requests/" + to_hex0x(one->id.view()) + "/proof");
  route("log", "GET /v1/log?from=2&max_bytes=100&unfinalised=1&wait_ms=3");
  route("events", "GET /v1/events?from=3&app=default&certificates=0");
  route("inclusion", "GET /v1/proof/inclusion?index=3");
  route("consistency", "GET /v1/proof/consistency?first=2&second=6");
  for (const std::string name : {"certificate", "genesis", "status", "peers", "evidence"})
    route(name, "GET /v1/" + name);
  route("health", "GET /healthz");
  route("metrics", "GET /metrics");
  route("openapi", "GET /v1/openapi.json");
}

// ---- What is accepted as it is, where the stand-in members check it

RequestPtr stand_in_request(std::uint64_t nonce) {
  const std::vector<Bytes> payloads{{1, 2, 3}};
  return make_request(testing::stand_in_verifier().domain(), "default", nonce, testing::stand_in_key(0), payloads, {});
}

Signature stand_in_signature(std::uint8_t member) {
  Signature out;
  out.bytes[0] = member;
  return out;
}

std::string stand_in_evidence() {
  const auto& verifier = testing::stand_in_verifier();
  TwoVotes votes;
  votes.a = {Phase::lock, {1}, {{3}, stand_in_request(1)->leaf}, {2}, stand_in_signature(2)};
  votes.b = {Phase::lock, {1}, {{3}, stand_in_request(2)->leaf}, {2}, stand_in_signature(2)};
  const ProvenFault fault{{2}, std::make_shared<const Evidence>(votes)};
  return write_evidence_document(std::span(&fault, 1), verifier.genesis(), verifier.domain());
}

/// A page of the log with what is not final yet, and the proofs of faults.
void save_unproven_answers(const fs::path& at) {
  const auto& verifier = testing::stand_in_verifier();
  const auto& genesis = verifier.genesis();
  auto requests = Json::array();
  for (std::uint64_t nonce = 1; nonce <= 2; ++nonce) {
    const auto one = stand_in_request(nonce);
    auto entry = json_of(*one);
    entry["id"] = to_hex0x(one->id.view());
    entry["index"] = 4 + nonce;
    entry["state"] = nonce == 1 ? "locked" : "sequenced";
    entry["view"] = 1;
    requests.push_back(entry);
  }
  const auto pending = Json{
      {"schema", 1},
      {"from", 5},
      {"next", 7},
      {"next_finalised", 5},
      {"finalised_index", 4},
      {"requests", requests},
      {"certificate",
       nullptr}}.dump();
  const auto pending_read = read_pending_answer(pending, verifier.domain());
  ZELL_CHECK(pending_read.ok() && pending_read->size() == 2);
  save(at, "pending", '\6', pending);

  auto list = Json::parse(stand_in_evidence())["evidence"];
  auto too_large = list[0];
  too_large["encoded"] = nullptr;
  list.push_back(too_large);
  const auto evidence = Json{{"schema", 1}, {"evidence", list}}.dump();
  const auto evidence_read = read_evidence_answer(evidence, {verifier.domain(), genesis.parameters, genesis.size()});
  ZELL_CHECK(evidence_read.ok() && evidence_read->evidence.size() == 1 && evidence_read->without_bytes == 1);
  save(at, "evidence", '\7', evidence);
}

void save_answers(const fs::path& folder) {
  testing::Chain chain;
  chain.grow(2, 2);
  const auto& certificate = chain.certificates.at(4);
  auto signatures = Json::array();
  for (const auto& [node, signature] : certificate.signatures) {
    signatures.push_back({{"node", node.value}, {"name", "n"}, {"signature", to_hex0x(signature.view())}});
  }
  const Json json_certificate{{"phase", "final"},
                              {"view", 0},
                              {"index", 4},
                              {"root", to_hex0x(certificate.point.root.view())},
                              {"signatures", signatures}};
  const auto path_of = [](const std::vector<Hash>& path) {
    auto out = Json::array();
    for (const auto& hash : path) out.push_back(to_hex0x(hash.view()));
    return out;
  };
  const auto& request = *chain.all[1];
  Json report{{"id", to_hex0x(request.id.view())}, {"state", "finalised"}, {"index", 2}, {"view", 0}};
  const auto at = folder / "client_answers";
  save(at, "submit", '\0', Json{{"schema", 1}, {"results", {report}}}.dump());
  report["schema"] = 1;
  save(at, "lookup", '\1', report.dump());
  const Json inclusion{{"schema", 1},
                       {"index", 2},
                       {"leaf", to_hex0x(request.leaf.view())},
                       {"header", to_hex0x(request.header())},
                       {"request", json_of(request)},
                       {"path", path_of(inclusion_proof(1, chain.leaves))},
                       {"certificate", json_certificate}};
  save(at, "inclusion", '\2', inclusion.dump());
  const auto point = [&](std::uint64_t index) {
    return Json{{"index", index}, {"root", to_hex0x(chain.root_at(index).view())}};
  };
  const Json consistency{{"schema", 1},
                         {"first", point(2)},
                         {"second", point(4)},
                         {"path", path_of(consistency_proof(2, chain.leaves))},
                         {"certificate", nullptr}};
  save(at, "consistency", '\3', consistency.dump());
  save(at, "certificate", '\4', Json{{"schema", 1}, {"certificate", json_certificate}}.dump());
  testing::RandomMessages random(seed, testing::fuzz_context());
  save(at, "chunk", '\5', as_text(encode_message(random.message(10), testing::fuzz_context().domain.epoch)));
  save_unproven_answers(at);
}

void save_others(const fs::path& folder) {
  // n = 2: opens in no time. The salt and the secret are of no one.
  const Json key{{"version", 3},
                 {"id", "11111111-2222-4333-8444-555555555555"},
                 {"crypto",
                  {{"cipher", "aes-128-ctr"},
                   {"cipherparams", {{"iv", std::string(32, '1')}}},
                   {"ciphertext", std::string(64, '2')},
                   {"kdf", "scrypt"},
                   {"kdfparams", {{"dklen", 32}, {"n", 2}, {"r", 1}, {"p", 1}, {"salt", std::string(64, '3')}}},
                   {"mac", std::string(64, '4')}}}};
  save(folder / "keystore", "wrong-passphrase", as_bytes(key.dump()));
  save(folder / "keystore", "passphrase", as_bytes("a passphrase"));

  const auto at = folder / "control_lines";
  save(at, "node", '\0', R"({"command":"status"})");
  save(at, "supervisor", '\1', encode_request({SupervisorCommand::kill, {"n1", "n3"}}));
  const ProcessReport report{"n1", ProcessState::killed, 0, std::nullopt, 9, 17, "/cluster/n1.sock"};
  save(at, "answer", '\2', encode_answer(SupervisorAnswer{11, {"n1"}, {report}}));
  save(at, "refusal", '\2', encode_answer(Error{"no-such-node", "there is no n9", "n1 to n4"}));

  save(folder / "log_proof", "inclusion", Bytes{0, 6, 3, 0, 0, 0, 0, 0, 0, 0, 7});
  save(folder / "log_proof", "consistency", Bytes{1, 6, 3, 0, 0, 0, 0, 0, 0, 0, 0});
}

/// Of the stand-in members. One that is refused would leave what is behind the first checks out of reach.
void save_documents(const fs::path& folder) {
  const auto& verifier = testing::stand_in_verifier();
  std::vector<RequestPtr> requests;
  std::vector<Hash> leaves;
  for (std::uint64_t nonce = 1; nonce <= 3; ++nonce) {
    requests.push_back(stand_in_request(nonce));
    leaves.push_back(requests.back()->leaf);
  }
  Certificate certificate{Phase::final, {1}, {{3}, tree_root(leaves)}, {}};
  for (std::uint8_t member = 0; member < 5; ++member) {
    certificate.signatures.push_back({{member}, stand_in_signature(member)});
  }
  const ProvenRequest proven{
      requests[1], {2}, std::make_shared<const Certificate>(certificate), {}, inclusion_proof(1, leaves)};
  const auto proof = write_proof_document(proven, verifier.domain());
  const auto answer = Json{{"schema", 1}, {"certificate", Json::parse(proof)["certificate"]}}.dump();
  const auto evidence = stand_in_evidence();
  ZELL_CHECK(check_proof_document(proof, verifier).ok());
  ZELL_CHECK(check_certificate_document(answer, verifier).ok());
  ZELL_CHECK(check_evidence_document(evidence, verifier).ok());
  const auto at = folder / "proof_documents";
  save(at, "proof", '\0', proof);
  save(at, "certificate", '\1', answer);
  save(at, "evidence", '\2', evidence);
}

/// Each member in turn is the node, with its peers connected; what follows is up to chance.
void save_plays(const fs::path& folder) {
  Prng random(seed);
  for (std::uint8_t setup = 16; setup < 16 + 8; ++setup) {
    Bytes play{setup};
    while (play.size() < 400) play.push_back(static_cast<std::uint8_t>(random.next()));
    save(folder / "replica", "play-" + std::to_string(setup - 16), play);
  }
}

void save_all(const fs::path& folder) {
  save_plays(folder);
  save_wire(folder);
  save_rows(folder);
  save_transport(folder);
  save_config(folder);
  save_http(folder);
  save_answers(folder);
  save_documents(folder);
  save_others(folder);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: fuzz_make_corpus FOLDER\n";
    return 2;
  }
  try {
    save_all(argv[1]);
  } catch (const fs::filesystem_error& error) {
    std::cerr << error.what() << "\n";
    return 1;
  }
  return 0;
}
