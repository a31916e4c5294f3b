#include "tests/simulation/world_impl.h"

namespace zell::simulation {

/// Group commit: all that is queued now becomes durable at once, later.
void World::commit(NodeId id) {
  auto& node = nodes_[id.value];
  node.committing = true;
  auto count = node.disk.in_flight.size();
  at(between(plan_.disk_min, plan_.disk_max), [this, id, count, life = node.life] {
    auto& n = nodes_[id.value];
    if (n.life != life) return;
    std::vector<Delta> deltas;
    PersistId last = 0;
    for (std::size_t i = 0; i < count; ++i) {
      last = n.disk.in_flight[i].id;
      if (n.disk.in_flight[i].delta.state) n.disk.durable = *n.disk.in_flight[i].delta.state;
      deltas.push_back(std::move(n.disk.in_flight[i].delta));
    }
    n.disk.in_flight.erase(n.disk.in_flight.begin(), n.disk.in_flight.begin() + static_cast<std::ptrdiff_t>(count));
    auto status = n.disk.store->commit(deltas);
    if (!status.ok()) throw Violation("commit refused: " + status.error().what);
    n.durable = last;
    n.committing = false;
    if (!n.disk.in_flight.empty()) commit(id);
    release(id);
    step(id, Persisted{last});
  });
}

void World::serve(NodeId id, const ServeLog& serve) {
  auto range = nodes_[id.value].disk.store->read_certified(serve.from, 1 << 20);
  if (!range.ok() || range->batches.empty()) return;
  Chunk chunk{{range->batches.front()->header.first.value - 1}, range->batches, range->fc};
  transmit(id, serve.to, chunk);
}

/// With less than a third of the stake faulty there is nothing to find.
void World::check_finality(NodeId id, const Certificate& older) {
  ++outcome_.seen["older finality certificates compared with the log"];
  auto leaves = nodes_[id.value].disk.store->read_leaves({1}, older.point.index);
  if (leaves.ok() && tree_root(*leaves) != older.point.root && honest(id)) {
    throw Violation("a finality certificate contradicts the final log of " + name(id));
  }
}

}  // namespace zell::simulation
