// Signatures and hashes: as the node makes and checks them, and beside that with libsecp256k1 alone.

#include <secp256k1.h>
#include <secp256k1_recovery.h>

#include <array>
#include <barrier>
#include <memory>
#include <optional>
#include <thread>
#include <unordered_map>

#include "cluster/load/limits_probes.h"
#include "cluster/load/machine.h"
#include "node/base/check.h"
#include "node/crypto/hash.h"
#include "node/crypto/keys.h"

namespace zell::limits {
namespace {

using namespace std::chrono_literals;

constexpr auto signature_slice = 40ms;
constexpr auto hash_slice = 15ms;
constexpr auto all_cores_slice = 120ms;

/// Enough different digests that no branch predictor learns them by heart.
constexpr std::size_t pool_size = 64;

/// Keys and signatures in all forms that the probes take.
class SignaturePool {
 public:
  SignaturePool() : context_(secp256k1_context_create(SECP256K1_CONTEXT_SIGN | SECP256K1_CONTEXT_VERIFY)) {
    ZELL_CHECK(context_ != nullptr);
    for (std::size_t i = 0; i < pool_size; ++i) entries_.push_back(make_entry(secret, i));
    find_keys_of_one_slot();
  }
  ~SignaturePool() { secp256k1_context_destroy(context_); }
  SignaturePool(const SignaturePool&) = delete;
  SignaturePool& operator=(const SignaturePool&) = delete;

  struct Entry {
    PublicKey key;
    Hash digest;
    Signature signature;
    CompactSignature compact;
    secp256k1_pubkey parsed_key;
    secp256k1_ecdsa_signature parsed;
  };
  [[nodiscard]] const Entry& entry(std::uint64_t call) const { return entries_[call % pool_size]; }
  /// Of two keys in turn, each of which drives the other out of the cache of parsed keys.
  [[nodiscard]] const Entry& entry_not_cached(std::uint64_t call) const { return rivals_[call % 2]; }
  [[nodiscard]] const secp256k1_context* context() const { return context_; }

  const SecretKey secret = dev_secret_key(1, "limits");

 private:
  Entry make_entry(const SecretKey& with, std::size_t number) const {
    Entry out;
    out.key = *secp256k1_scheme().public_key(with);
    out.digest = sha256(as_bytes("limits " + std::to_string(number)));
    out.signature = secp256k1_scheme().sign(with, out.digest);
    out.compact = compact(out.signature);
    ZELL_CHECK(secp256k1_ec_pubkey_parse(context_, &out.parsed_key, out.key.bytes.data(), out.key.bytes.size()) == 1);
    ZELL_CHECK(secp256k1_ecdsa_signature_parse_compact(context_, &out.parsed, out.compact.bytes.data()) == 1);
    return out;
  }
  /// The scheme keeps parsed keys in a number of slots that divides this one, chosen by their hash.
  void find_keys_of_one_slot() {
    constexpr std::size_t slots = 16'384;
    std::unordered_map<std::size_t, std::size_t> first_with;
    for (std::size_t i = 0;; ++i) {
      const auto key = secp256k1_scheme().public_key(dev_secret_key(i, "limits"));
      const auto [at, fresh] = first_with.emplace(std::hash<PublicKey>{}(*key) % slots, i);
      if (fresh) continue;
      rivals_ = {make_entry(dev_secret_key(at->second, "limits"), 0), make_entry(dev_secret_key(i, "limits"), 1)};
      return;
    }
  }

  secp256k1_context* context_;
  std::vector<Entry> entries_, rivals_;
};
using PoolPtr = std::shared_ptr<const SignaturePool>;

template <class Work>
Probe timed(std::string name, std::uint64_t bytes, Clock::duration slice, std::uint64_t at_once, Work work) {
  const auto round = [slice, at_once, work]() -> Result<std::vector<double>> {
    // What was measured before has left the caches, and perhaps the clock of the core, in another state.
    (void)time_each(slice / 4, at_once, work);
    return std::vector{time_each(slice, at_once, work)};
  };
  return {{{std::move(name), "us", bytes}}, round};
}

template <class Work>
Probe signature_probe(std::string name, Work work) {
  return timed(std::move(name), 0, signature_slice, 1, work);
}

// Ours and the plain ones side by side, so that the machine's drift is small against what they differ by.

void add_checks(std::vector<Probe>& out, const PoolPtr& pool) {
  out.push_back(signature_probe("ecdsa-verify", [pool](std::uint64_t call) {
    const auto& with = pool->entry(call);
    ZELL_CHECK(secp256k1_scheme().verify(with.key, with.digest, with.compact));
  }));
  out.push_back(signature_probe("ecdsa-verify-plain", [pool](std::uint64_t call) {
    const auto& with = pool->entry(call);
    ZELL_CHECK(secp256k1_ecdsa_verify(pool->context(), &with.parsed, with.digest.bytes.data(), &with.parsed_key) == 1);
  }));
  out.push_back(signature_probe("ecdsa-verify-new-key", [pool](std::uint64_t call) {
    const auto& with = pool->entry_not_cached(call);
    ZELL_CHECK(secp256k1_scheme().verify(with.key, with.digest, with.compact));
  }));
  out.push_back(signature_probe("ecdsa-verify-new-key-plain", [pool](std::uint64_t call) {
    const auto& with = pool->entry(call);
    secp256k1_ecdsa_signature signature;
    secp256k1_pubkey key;
    ZELL_CHECK(secp256k1_ecdsa_signature_parse_compact(pool->context(), &signature, with.compact.bytes.data()) == 1);
    ZELL_CHECK(secp256k1_ec_pubkey_parse(pool->context(), &key, with.key.bytes.data(), with.key.bytes.size()) == 1);
    ZELL_CHECK(secp256k1_ecdsa_verify(pool->context(), &signature, with.digest.bytes.data(), &key) == 1);
  }));
}

void add_recoveries(std::vector<Probe>& out, const PoolPtr& pool) {
  out.push_back(signature_probe("ecdsa-recover", [pool](std::uint64_t call) {
    const auto& with = pool->entry(call);
    ZELL_CHECK(secp256k1_scheme().recover(with.digest, with.signature) == with.key);
  }));
  out.push_back(signature_probe("ecdsa-recover-plain", [pool](std::uint64_t call) {
    const auto& with = pool->entry(call);
    secp256k1_ecdsa_recoverable_signature signature;
    secp256k1_pubkey key;
    ZELL_CHECK(secp256k1_ecdsa_recoverable_signature_parse_compact(
                   pool->context(), &signature, with.signature.bytes.data(), with.signature.bytes[64] - 27) == 1);
    ZELL_CHECK(secp256k1_ecdsa_recover(pool->context(), &key, &signature, with.digest.bytes.data()) == 1);
  }));
}

void add_signings(std::vector<Probe>& out, const PoolPtr& pool) {
  out.push_back(signature_probe("ecdsa-sign", [pool](std::uint64_t call) {
    ZELL_CHECK(secp256k1_scheme().sign(pool->secret, pool->entry(call).digest) == pool->entry(call).signature);
  }));
  out.push_back(signature_probe("ecdsa-sign-plain", [pool](std::uint64_t call) {
    secp256k1_ecdsa_recoverable_signature made;
    ZELL_CHECK(secp256k1_ecdsa_sign_recoverable(pool->context(), &made, pool->entry(call).digest.bytes.data(),
                                                pool->secret.bytes().data(), secp256k1_nonce_function_rfc6979,
                                                nullptr) == 1);
  }));
}

/// Checks a second by one thread on each core at once: on a shared machine less than the cores times one.
double checks_on_all_cores(const SignaturePool& pool, unsigned cores) {
  std::vector<double> rates(cores);
  std::barrier together(static_cast<std::ptrdiff_t>(cores));
  std::vector<std::jthread> threads;
  for (unsigned core = 0; core < cores; ++core) {
    threads.emplace_back([&, core] {
      together.arrive_and_wait();
      rates[core] = 1e6 / time_each(all_cores_slice, 1, [&](std::uint64_t call) {
                      const auto& with = pool.entry(call);
                      ZELL_CHECK(secp256k1_scheme().verify(with.key, with.digest, with.compact));
                    });
    });
  }
  threads.clear();
  double sum = 0;
  for (auto rate : rates) sum += rate;
  return sum;
}

}  // namespace

std::vector<Probe> signature_probes() {
  const auto pool = std::make_shared<const SignaturePool>();
  std::vector<Probe> out;
  add_checks(out, pool);
  add_recoveries(out, pool);
  add_signings(out, pool);
  out.push_back({{{"ecdsa-verify-all-cores", "checks/s", 0}}, [pool]() -> Result<std::vector<double>> {
                   return std::vector{checks_on_all_cores(*pool, Machine::here().cores)};
                 }});
  return out;
}

std::vector<Probe> hash_probes() {
  struct Size {
    const char* name;
    std::size_t bytes;
    std::uint64_t at_once;
  };
  std::vector<Probe> out;
  for (const auto& [name, bytes, at_once] : {Size{"32", 32, 64}, Size{"256", 256, 32}, Size{"64k", 64 << 10, 1}}) {
    const auto text = std::make_shared<const Bytes>(bytes, 0x5a);
    out.push_back(timed(std::string("sha256-") + name, bytes, hash_slice, at_once,
                        [text](std::uint64_t) { ZELL_CHECK(!sha256(*text).is_zero()); }));
    out.push_back(timed(std::string("keccak256-") + name, bytes, hash_slice, at_once,
                        [text](std::uint64_t) { ZELL_CHECK(!keccak256(*text).is_zero()); }));
  }
  return out;
}

}  // namespace zell::limits
