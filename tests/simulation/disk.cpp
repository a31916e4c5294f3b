#include "node/crypto/hash.h"
#include "tests/simulation/world_impl.h"

namespace zell::simulation {

Result<Recovered> World::read_disk(Host& host, NonceWindows& nonces) {
  auto& disk = host.disk;
  if (disk.real) {
    auto store = disk.real->open();
    if (!store.ok()) return store.error();
    disk.store = std::move(*store);
  }
  nonces = {};
  return disk.store->recover([&](const Batch& batch) {
    for (const auto& request : *batch.requests) (void)nonces.insert(request->sender, request->nonce);
  });
}

Recovered World::recover(Host& host, NonceWindows& nonces) {
  auto recovered = read_disk(host, nonces);
  if (!recovered.ok() && plan_.rotted == host.id) {
    happened("rotten disks refused");
    say(name(host) + " refuses its disk, and gets a new one: " + recovered.error().what);
    lose_disk(host);
    recovered = read_disk(host, nonces);
  }
  if (!recovered.ok()) throw Violation("the store does not recover: " + recovered.error().what);
  if (plan_.rotted == host.id) check_rotten(host, *recovered);
  host.disk.durable = recovered->state;
  if (honest(host.id) && host.disk.durable.highest_lc) witness_.saw(*host.disk.durable.highest_lc);
  return std::move(*recovered);
}

/// Rot is noticed, or changes nothing, or takes the newest commits away: it never makes up a vote state.
void World::check_rotten(Host& host, const Recovered& recovered) {
  auto& had = host.disk.had;
  auto state = sha256(encode_durable_state(recovered.state));
  if (!had.empty() && !had.contains(state)) throw Violation(name(host) + " recovers a vote state that it never had");
  had.insert(state);
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
  if (!write(host)) {
    happened("faults: power cuts in the middle of a commit");
    crash(host);
    return start_later(host);
  }
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
  if (host.disk.real) host.disk.real->fail();
  if (host.disk.real || disk_random_.chance(500'000)) write(host);
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

/// What is being committed goes to the disk. False: the disk failed on the way, and it is or is not there.
bool World::write(Host& host) {
  auto& disk = host.disk;
  std::vector<Delta> deltas;
  for (auto count = std::exchange(disk.committing, 0); count > 0; --count) {
    deltas.push_back(std::move(disk.in_flight.front().delta));
    disk.in_flight.erase(disk.in_flight.begin());
    const auto& delta = deltas.back();
    for (const auto& batch : delta.batches) chains_.add(batch->header.parent(), batch->requests, batch->header.end);
    if (delta.state) disk.durable = *delta.state;
    if (delta.state && plan_.rotted == host.id) disk.had.insert(sha256(encode_durable_state(*delta.state)));
    // A leader that crashes before it shows its certificate holds it all the same.
    if (honest(host.id) && disk.durable.highest_lc) witness_.saw(*disk.durable.highest_lc);
    if (plan_.restored == host.id && !disk.real) disk.history.push_back(delta);
  }
  auto status = disk.store->commit(deltas);
  if (status.ok()) status = disk.store->maintain();
  bool meant = disk.real && (disk.failed || disk.real->is_off());
  if (!status.ok() && !meant) throw Violation("commit refused: " + status.error().what);
  return status.ok();
}

/// A commit that was on its way may be on the disk all the same, whole, though nobody will ever be told.
void World::cut_power(Host& host) {
  auto& disk = host.disk;
  if (disk.committing > 0 && !disk.failed && disk_random_.chance(500'000)) {
    if (disk.real) disk.real->cut_power_within(20);
    happened(write(host) ? "commits that a crash left whole but unreported"
                         : "faults: power cuts in the middle of a commit");
  }
  if (disk.real) {
    disk.real->cut_power();
    disk.store.reset();
  }
  disk.in_flight.clear();
  disk.committing = 0;
  disk.failing = disk.failed = false;
}

void World::lose_disk(Host& host) {
  checks_.forgot(host.id);
  auto& disk = host.disk;
  disk.store.reset();
  disk.had.clear();
  if (disk.real)
    disk.real->wipe();
  else
    disk.store = make_memory_store(genesis_, Standing::learner);
}

void World::wipe(Host& host) {
  happened("faults: wiped disks");
  say(name(host) + " loses its disk");
  crash(host);
  lose_disk(host);
}

void World::rot(Host& host) {
  happened("faults: rotten disks");
  say(name(host) + " has a disk that rots");
  crash(host);
  host.disk.real->rot();
}

void World::copy_disk(Host& host) {
  if (host.disk.real)
    host.disk.real->copy();
  else
    host.disk.copied = host.disk.history.size();
}

/// Someone restores an old copy of the disk, as nobody should.
void World::restore_copy(Host& host) {
  happened("faults: restored old disks");
  say(name(host) + " is restored from an old copy");
  crash(host);
  auto& disk = host.disk;
  if (disk.real) return disk.real->restore_copy();
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
