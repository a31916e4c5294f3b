#include "node/storage/meta.h"

#include "node/storage/recovery.h"
#include "node/storage/row_codec.h"
#include "node/storage/sqlite_tables.h"

namespace zell {

DecodeContext context_of(const Genesis& genesis) {
  return {SigningDomain::of(genesis), genesis.parameters, genesis.members.size()};
}

Status check_schema_version(Sqlite& db) {
  auto found = db.text("SELECT CAST(value AS TEXT) FROM meta WHERE name = 'schema' AND typeof(value) = 'integer'");
  if (!found.ok()) return found.error();
  if (*found == std::to_string(schema_version)) return Ok{};
  static_assert(schema_version < 10);  // one digit: they compare as they stand
  const auto known = std::to_string(schema_version);
  const bool newer = !found->empty() && found->front() != '-' && (found->size() > 1 || *found > known);
  if (found->size() == 1 && *found < known) {
    return Error{
        "older-schema", db.file() + " has schema version " + *found + ", and this zell knows none below " + known,
        "run the zell that wrote it. One node of several may instead move its data folder away and fetch the log "
        "from its peers as a learner, while the others that go on hold more than two thirds of the stake; a "
        "cluster whose folders are all of this version can't: make a new one"};
  }
  if (!newer) return corrupt_error(db.file(), "its schema version is '" + *found + "'");
  return Error{"newer-schema",
               db.file() + " has schema version " + *found + ", and this zell knows versions up to " +
                   std::to_string(schema_version),
               "run the zell that wrote it (schema version " + *found +
                   ") or a newer one; this one has schema version " + std::to_string(schema_version)};
}

Status check_schema(Sqlite& db) {
  auto found = db.text(
      "SELECT group_concat(sql || ';', '') FROM (SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY rowid)");
  if (!found.ok()) return found.error();
  if (*found != std::string(meta_schema) + sqlite_schema)
    return corrupt_error(db.file(), "its tables are not the ones of a node");
  return Ok{};
}

Status check_cluster(Sqlite& db, const DecodeContext& context) {
  auto cluster = db.text("SELECT lower(hex(value)) FROM meta WHERE name = 'cluster'");
  if (!cluster.ok()) return cluster.error();
  if (*cluster == to_hex(context.domain.cluster.view())) return Ok{};
  return Error{"foreign",
               db.file() + " belongs to cluster 0x" + *cluster + ", not to " + to_hex0x(context.domain.cluster.view()),
               foreign_hint};
}

Result<NodeId> owner_of(Sqlite& db, const Genesis& genesis) {
  auto node = db.text("SELECT CAST(value AS TEXT) FROM meta WHERE name = 'node'");
  if (!node.ok()) return node.error();
  for (std::size_t k = 0; k < genesis.size(); ++k) {
    if (*node == std::to_string(k)) return NodeId{static_cast<std::uint16_t>(k)};
  }
  return corrupt_error(db.file(), "it names '" + node->substr(0, 20) + "' as the member whose it is");
}

}  // namespace zell
