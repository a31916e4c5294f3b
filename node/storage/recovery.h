#pragma once
// Reads a store whole and checks that it hangs together before anything is built on it.

#include "node/storage/store.h"
#include "node/storage/tables.h"

namespace zell {

struct Recovery {
  Recovered recovered;
  Branches branches;
};

/// Finalised batches must follow each other from index 1, each request's payloads must give its header's root, and the
/// headers the root of every stored certificate. Above them the tip's batches, and the highest lock's, must lead back
/// to the finalised prefix with the right roots. Anything else is code "corrupt". With `start`, what is below the
/// replay point is not read: its block roots must lead to the same certified roots. If anything is wrong then, all is
/// read.
[[nodiscard]] Result<Recovery> recover_tables(Tables& tables, const Parameters& parameters,
                                              const ReplayVisitor& visitor, const ReplayStart& start = nullptr);

/// Code "corrupt": what was found where, and what to do about it.
[[nodiscard]] Error corrupt_error(const std::string& name, const std::string& found);

}  // namespace zell
