#pragma once
// Logs, deltas and folders for the storage tests. Signatures are arbitrary bytes: a store does not check them.

#include <filesystem>
#include <string>

#include "node/base/prng.h"
#include "node/storage/store.h"
#include "tests/support/temp_folder.h"

namespace zell::test {

/// Four members of stake 1.
[[nodiscard]] const Genesis& four_members();
/// The same with another chain id, so another cluster.
[[nodiscard]] const Genesis& another_cluster();

/// A request whose payload has `payload_bytes` bytes; every call gives another one.
[[nodiscard]] RequestPtr some_request(Prng& prng, std::size_t payload_bytes);
[[nodiscard]] Certificate certificate(Phase phase, View view, const LogPoint& point);
[[nodiscard]] EvidencePtr some_evidence(std::uint64_t number);
/// A proof of `view` of two messages.
[[nodiscard]] std::vector<MessagePtr> some_entry_proof(View view);

/// A place in a log that is being built: what comes after it hangs on it.
struct Branch {
  CompactRange range;
  [[nodiscard]] LogPoint point() const { return {{range.size()}, range.root()}; }
  /// A batch of `count` requests after this place, and this place moved to its end.
  BatchPtr extend(Prng& prng, View view, std::size_t count, std::size_t payload_bytes = 40);
  BatchPtr extend(const Requests& requests, View view);
};

/// `state` with that tip.
[[nodiscard]] DurableState with_tip(DurableState state, const LogPoint& tip);
/// A delta that adds one batch on `branch`, makes it the tip and, if asked, final.
[[nodiscard]] Delta next_delta(Prng& prng, Branch& branch, DurableState& state, std::size_t count, bool final,
                               std::size_t payload_bytes = 40);

/// All that a store says about itself, as bytes to compare; it is recovered again for it.
[[nodiscard]] Bytes snapshot(Store& store);

/// Ready to commit. REQUIRES (checked by the test): no error.
[[nodiscard]] std::unique_ptr<Store> open_recovered(const std::filesystem::path& folder,
                                                    const StoreOptions& options = {});
[[nodiscard]] std::unique_ptr<Store> recovered_memory_store();

}  // namespace zell::test
