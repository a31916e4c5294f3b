#include "tests/simulation/world_impl.h"

namespace zell::simulation {

Recovered World::recover(Host& host, NonceWindows& nonces) {
  auto recovered = host.disk.store->recover([&](const Batch& batch) {
    for (const auto& request : *batch.requests) (void)nonces.insert(request->sender, request->nonce);
  });
  if (!recovered.ok()) throw Violation("the store does not recover: " + recovered.error().what);
  host.disk.durable = recovered->state;
  return std::move(*recovered);
}

/// Group commit: all that is queued now becomes durable at once, later.
void World::commit(Host& host) {
  host.disk.committing = host.disk.in_flight.size();
  auto delay = between(disk_random_, plan_.disk_min, plan_.disk_max) * host.disk.slowness;
  at(delay, [this, place = host.place, life = host.life] {
    auto& h = hosts_[place];
    if (h.life != life) return;
    if (h.disk.failing) return fail_commit(h);
    committed(h);
  });
}

void World::committed(Host& host) {
  PersistId last = host.disk.in_flight[host.disk.committing - 1].id;
  apply(host, host.disk.committing);
  host.disk.committing = 0;
  host.durable = last;
  if (!host.disk.in_flight.empty()) commit(host);
  auto life = host.life;
  release(host);
  if (host.life == life) step(host, Persisted{last});
}

/// EIO, or a full disk: what was written may or may not be there, and nothing that waited for it may be sent.
void World::fail_commit(Host& host) {
  happened("faults: failed commits");
  say(name(host) + " fails to commit");
  host.disk.failed = true;
  if (disk_random_.chance(500'000)) apply(host, host.disk.committing);
  host.disk.in_flight.clear();
  host.disk.committing = 0;
  std::erase_if(host.held, [&](const Send& send) { return send.after > host.durable; });
  auto life = host.life;
  step(host, PersistFailed{"simulated"});
  at(between(chaos_random_, Duration(50'000), Duration(800'000)), [this, place = host.place, life] {
    auto& h = hosts_[place];
    if (h.life != life) return;
    crash(h);
    start_later(h);
  });
}

void World::apply(Host& host, std::size_t count) {
  auto& disk = host.disk;
  std::vector<Delta> deltas;
  for (std::size_t i = 0; i < count; ++i) {
    auto& delta = disk.in_flight[i].delta;
    for (const auto& batch : delta.batches) chains_.add(batch->header.parent(), batch->requests, batch->header.end);
    if (delta.state) disk.durable = *delta.state;
    // A leader that crashes before it shows its certificate holds it all the same.
    if (honest(host.id) && disk.durable.highest_lc) witness_.saw(*disk.durable.highest_lc);
    if (plan_.restored == host.id) disk.history.push_back(delta);
    deltas.push_back(std::move(delta));
  }
  disk.in_flight.erase(disk.in_flight.begin(), disk.in_flight.begin() + static_cast<std::ptrdiff_t>(count));
  auto status = disk.store->commit(deltas);
  if (!status.ok()) throw Violation("commit refused: " + status.error().what);
}

void World::wipe(Host& host) {
  happened("faults: wiped disks");
  say(name(host) + " loses its disk");
  checks_.forgot(host.id);
  crash(host);
  host.disk.store = make_memory_store(genesis_, Standing::learner);
}

/// Someone restores an old copy of the disk, as nobody should.
void World::restore_copy(Host& host) {
  happened("faults: restored old disks");
  say(name(host) + " is restored from an old copy");
  crash(host);
  auto& disk = host.disk;
  disk.store = make_memory_store(genesis_, Standing::member);
  auto fresh = disk.store->recover([](const Batch&) {});
  if (!fresh.ok()) throw Violation("a new store does not open: " + fresh.error().what);
  disk.history.resize(disk.copied);
  auto status = disk.store->commit(disk.history);
  if (!status.ok()) throw Violation("the copy is refused: " + status.error().what);
}

void World::serve(Host& host, const ServeLog& serve) {
  auto range = host.disk.store->read_certified(serve.from, 1 << 20);
  if (!range.ok() || range->batches.empty()) return;
  Chunk chunk{{range->batches.front()->header.first.value - 1}, range->batches, range->fc};
  send(host, {Send::To::one, serve.to, std::make_shared<const Message>(std::move(chunk)), false, 0});
}

/// With less than a third of the stake faulty there is nothing to find.
void World::check_finality(const Host& host, const Certificate& older) {
  happened("older finality certificates compared with the log");
  auto leaves = host.disk.store->read_leaves({1}, older.point.index);
  if (leaves.ok() && tree_root(*leaves) != older.point.root && honest(host.id)) {
    throw Violation("a finality certificate contradicts the final log of " + name(host));
  }
}

}  // namespace zell::simulation
