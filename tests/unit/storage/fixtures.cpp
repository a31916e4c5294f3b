#include "tests/unit/storage/fixtures.h"

#include <stdlib.h>

#include <catch2/catch.hpp>

#include "node/wire/request_codec.h"

namespace zell::test {

namespace {

Genesis make_genesis(std::uint64_t chain_id) {
  Genesis genesis;
  genesis.chain_id = chain_id;
  genesis.cluster_name = "test";
  for (std::uint8_t i = 0; i < 4; ++i) {
    Member member;
    member.name = "n" + std::to_string(i + 1);
    member.key.bytes.fill(i);
    member.key.bytes[0] = 2;
    member.stake = 1;
    genesis.members.push_back(member);
  }
  return genesis;
}

template <class Fixed>
Fixed random_fixed(Prng& prng) {
  Fixed out;
  for (auto& byte : out.bytes) byte = static_cast<std::uint8_t>(prng.next());
  return out;
}

Signature signature_of(std::uint64_t number) {
  Prng prng(number);
  auto out = random_fixed<Signature>(prng);
  out.bytes[64] = 27;
  return out;
}

}  // namespace

const Genesis& four_members() {
  static const Genesis genesis = make_genesis(0);
  return genesis;
}

const Genesis& another_cluster() {
  static const Genesis genesis = make_genesis(7);
  return genesis;
}

RequestPtr some_request(Prng& prng, std::size_t payload_bytes) {
  static const auto domain = SigningDomain::of(four_members());
  Bytes payload(payload_bytes);
  for (auto& byte : payload) byte = static_cast<std::uint8_t>(prng.next());
  const auto nonce = prng.next();
  const auto sender = random_fixed<PublicKey>(prng);
  return make_request(domain, "test", nonce, sender, std::span(&payload, 1), random_fixed<CompactSignature>(prng));
}

Certificate certificate(Phase phase, View view, const LogPoint& point) {
  Certificate out{phase, view, point, {}};
  for (std::uint16_t i = 0; i < 3; ++i) out.signatures.push_back({{i}, signature_of(point.index.value * 4 + i)});
  return out;
}

EvidencePtr some_evidence(std::uint64_t number) {
  HiddenLock evidence;
  evidence.final = {Phase::final, {3}, {{number + 1}, Hash{}}, {2}, signature_of(number)};
  evidence.change.node = {2};
  evidence.change.view = {4};
  evidence.change.signature = signature_of(number + 1);
  return std::make_shared<const Evidence>(evidence);
}

std::vector<MessagePtr> some_entry_proof(View view) {
  ChallengeCertificate challenges;
  for (std::uint16_t i = 0; i < 2; ++i) {
    challenges.challenges.push_back({{i}, view, Reason::unresponsive, signature_of(view.value + i)});
  }
  const CertificateMessage lock{certificate(Phase::lock, view, {{9}, Hash{}})};
  return {std::make_shared<const Message>(challenges), std::make_shared<const Message>(lock)};
}

BatchPtr Branch::extend(Prng& prng, View view, std::size_t count, std::size_t payload_bytes) {
  Requests requests;
  for (std::size_t i = 0; i < count; ++i) requests.push_back(some_request(prng, payload_bytes));
  return extend(requests, view);
}

BatchPtr Branch::extend(const Requests& requests, View view) {
  auto batch = std::make_shared<Batch>();
  const auto parent = point();
  batch->header.view = view;
  batch->header.first = parent.index.next();
  batch->header.parent_root = parent.root;
  for (const auto& request : requests) {
    range.append(request->leaf);
    batch->request_bytes += static_cast<std::uint32_t>(request->canonical.size());
  }
  batch->requests = std::make_shared<const Requests>(requests);
  batch->header.end = point();
  batch->header.signature = signature_of(view.value * 1'000'003 + range.size());
  return batch;
}

DurableState with_tip(DurableState state, const LogPoint& tip) {
  state.tip = tip;
  return state;
}

Delta next_delta(Prng& prng, Branch& branch, DurableState& state, std::size_t count, bool final,
                 std::size_t payload_bytes) {
  Delta delta;
  delta.batches.push_back(branch.extend(prng, state.view, count, payload_bytes));
  state = with_tip(state, branch.point());
  state.last_lock = branch.point();
  delta.state = state;
  if (final) delta.fc = certificate(Phase::final, state.view, branch.point());
  return delta;
}

Bytes snapshot(Store& store) {
  Writer out;
  auto recovered = store.recover([&](const Batch& batch) { write_batch(out, batch); });
  if (!recovered.ok()) FAIL("recover: " << recovered.error().code << ": " << recovered.error().what);
  out.sized(encode_durable_state(recovered->state));
  out.u64(recovered->finalised.size());
  out.fixed(recovered->finalised.root());
  if (recovered->fc) write_certificate(out, *recovered->fc);
  for (const auto& batch : recovered->unfinalised) write_batch(out, *batch);
  for (const auto& message : recovered->entry_proof) out.sized(encode_message(*message, {0}));
  auto evidence = store.read_evidence();
  REQUIRE(evidence.ok());
  REQUIRE(evidence->size() == recovered->evidence_count);
  for (const auto& one : *evidence) write_evidence(out, *one);
  // Every stored certificate ends a range of one byte's budget.
  for (Index from; from.value < recovered->finalised.size();) {
    auto range = store.read_certified(from, 1);
    REQUIRE(range.ok());
    REQUIRE(range->fc);
    write_certificate(out, *range->fc);
    from = range->fc->point.index;
  }
  return out.take();
}

std::unique_ptr<Store> open_recovered(const std::filesystem::path& folder, const StoreOptions& options) {
  auto store = open_store(folder, four_members(), {0}, options);
  if (!store.ok()) FAIL("open: " << store.error().code << ": " << store.error().what);
  auto recovered = (*store)->recover([](const Batch&) {});
  if (!recovered.ok()) FAIL("recover: " << recovered.error().code << ": " << recovered.error().what);
  return std::move(*store);
}

std::unique_ptr<Store> recovered_memory_store() {
  auto store = make_memory_store(four_members(), Standing::member);
  REQUIRE(store->recover([](const Batch&) {}).ok());
  return store;
}

}  // namespace zell::test
