#pragma once
// What a node.db says about itself, checked before anything else in it is read. FORMAT.md, "meta".

#include "node/storage/sqlite.h"
#include "node/types/genesis.h"
#include "node/wire/codec.h"

namespace zell {

inline constexpr const char* database_file = "node.db";
inline constexpr const char* bodies_file = "node.bodies";
inline constexpr const char* meta_schema = "CREATE TABLE meta (name TEXT PRIMARY KEY, value) WITHOUT ROWID;";
inline constexpr const char* foreign_hint =
    "each node has a data folder of its own: check the data folder in this node's configuration";

[[nodiscard]] DecodeContext context_of(const Genesis& genesis);
/// Codes: "newer-schema", "older-schema", "corrupt".
[[nodiscard]] Status check_schema_version(Sqlite& db);
/// That its tables are this version's. Code "corrupt".
[[nodiscard]] Status check_schema(Sqlite& db);
/// Code "foreign".
[[nodiscard]] Status check_cluster(Sqlite& db, const DecodeContext& context);
/// The member whose it is. Code "corrupt" if the genesis has none at that position.
[[nodiscard]] Result<NodeId> owner_of(Sqlite& db, const Genesis& genesis);

}  // namespace zell
