#include <algorithm>

#include "node/wire/codec.h"
#include "tests/simulation/describe.h"
#include "tests/simulation/world_impl.h"

namespace zell::simulation {

/// Of two twins, a host may talk to one only.
bool World::in_touch(const Host& host, const Host& twin) const {
  auto touch = touch_[host.place];
  if (touch == 2 || !plan_.behaviours_of(twin.id)[static_cast<std::size_t>(Behaviour::twins)]) return true;
  return (twin.place == twin.id.value) == (touch == 0);
}

void World::connect(Host& a, Host& b) {
  ++link(a, b).connection;
  ++link(b, a).connection;
  step(a, PeerUp{b.id});
  step(b, PeerUp{a.id});
}

/// What is in flight is lost, and each side that still runs is told.
void World::disconnect(Host& a, Host& b) {
  ++link(a, b).connection;
  ++link(b, a).connection;
  lost(a, b, false);
  lost(b, a, false);
}

/// Of two twins, one may still be there.
void World::lost(Host& host, const Host& peer, bool refused) {
  step(host, PeerDown{peer.id, refused});
  bool other = std::any_of(hosts_.begin(), hosts_.end(), [&](const Host& twin) {
    return twin.id == peer.id && twin.place != peer.place && connected(host, twin);
  });
  if (other) step(host, PeerUp{peer.id});
}

void World::reset_connection(Host& a, Host& b) {
  if (!connected(a, b)) return;
  disconnect(a, b);
  if (connected(a, b)) connect(a, b);
}

/// Changes who is connected to whom, and tells them.
void World::rewire(const std::function<void()>& change) {
  std::vector<bool> before;
  for (auto& a : hosts_) {
    for (auto& b : hosts_) before.push_back(connected(a, b));
  }
  change();
  auto for_each_pair = [this](const std::function<void(Host&, Host&)>& act) {
    for (auto& a : hosts_) {
      for (auto& b : hosts_) {
        if (b.place > a.place) act(a, b);
      }
    }
  };
  auto was = [&](const Host& a, const Host& b) { return before[a.place * hosts_.size() + b.place]; };
  for_each_pair([&](Host& a, Host& b) {
    if (was(a, b) && !connected(a, b)) disconnect(a, b);
  });
  for_each_pair([&](Host& a, Host& b) {
    if (!was(a, b) && connected(a, b)) connect(a, b);
  });
}

/// Checks a message once for all who will get it. What an honest node sends must pass.
ParcelPtr World::pack(MessagePtr message, NodeId from) {
  auto refuse = [&](const std::string& why) -> ParcelPtr {
    if (honest(from)) {
      throw Violation("an honest message is refused: " + std::string(name_of(*message)) + " of " + name(from) + ": " +
                      why);
    }
    happened("messages of liars refused");
    return std::make_shared<const Parcel>(Parcel{message, nullptr});
  };
  if (honest(from) && !plan_.verify_honest && !plan_.real_signatures) {
    witness_.saw(*message);
    return std::make_shared<const Parcel>(Parcel{message, verifier_.own(*message)});
  }
  Message copy = *message;
  if (plan_.real_signatures) {
    auto decoded =
        decode_message(encode_message(*message, {}), {verifier_.domain(), genesis_.parameters, genesis_.size()});
    if (!decoded.ok()) return refuse(decoded.error().what);
    copy = std::move(*decoded);
  }
  auto checked = verifier_.check(std::move(copy));
  if (!checked.ok()) return refuse(checked.error().what);
  witness_.saw((*checked)->get());
  const auto* proposal = std::get_if<Proposal>(&(*checked)->get());
  const bool checked_by_each = proposal && proposal->first_bad;
  return std::make_shared<const Parcel>(Parcel{std::move(message), std::move(*checked), checked_by_each});
}

void World::send(Host& host, const Send& send) {
  auto message = send.message;
  bool is_honest = honest(host.id);
  if (send.sign) {
    message =
        std::make_shared<const Message>(sign_message(*message, host.id, secret(host.id), scheme(), verifier_.domain()));
    if (is_honest && host.disk.failed) throw Violation(name(host) + " signs after its disk failed");
    if (plan_.accountable(host.id) && plan_.check_signatures) {
      checks_.signed_by(host.id, *message, host.disk.durable);
    }
    if (const auto* news = std::get_if<NewView>(message.get()); news && send.to != Send::To::one) note_new_view(*news);
  }
  if (const auto* challenge = std::get_if<Challenge>(message.get()); challenge && is_honest) {
    observer_.challenged(*challenge);
  }
  auto parcel = pack(message, host.id);
  if (send.to == Send::To::all || (send.to == Send::To::one && send.node == host.id)) {
    at(Duration{1}, [this, place = host.place, message, life = host.life] {
      auto& h = hosts_[place];
      if (h.life == life) step(h, Received{h.id, verifier_.own(*message)});
    });
    if (send.to == Send::To::one) return;
  }
  std::vector<Told> told;
  for (const auto& member : genesis_.members) {
    NodeId to{static_cast<std::uint16_t>(&member - genesis_.members.data())};
    if (to == host.id || (send.to == Send::To::one && send.node != to)) continue;
    if (is_honest) {
      told.push_back({to, message, Duration{0}});
    } else {
      liars_[host.id.value]->tell(message, to, told);
    }
  }
  send_lies(host, told, parcel);
}

void World::send_lies(Host& host, const std::vector<Told>& told, const ParcelPtr& truth) {
  for (const auto& one : told) {
    auto parcel = truth && one.message == truth->message ? truth : pack(one.message, host.id);
    if (!parcel->checked) continue;  // whoever gets it refuses it
    for (auto& other : hosts_) {
      if (other.id == one.to) transmit(host, other, parcel, one.delay);
    }
  }
}

void World::transmit(Host& from, Host& to, const ParcelPtr& parcel, Duration held_back) {
  if (!connected(from, to)) return;
  ++outcome_.messages;
  auto& way = link(from, to);
  auto dropped = [&](const char* how) {
    happened(how);
    return true;
  };
  if (way.deaf && dropped("faults: messages lost one way")) return;
  if (!healed_ && network_random_.chance(plan_.loss) && dropped("faults: messages lost")) return;
  bool twice = !healed_ && network_random_.chance(plan_.duplicate);
  if (twice) happened("faults: messages duplicated");
  for (int i = 0; i < (twice ? 2 : 1); ++i) {
    auto delay = held_back + between(network_random_, plan_.delay_min, plan_.delay_max);
    if (!healed_ && network_random_.chance(plan_.spike)) {
      delay *= 50;
      happened("faults: delay spikes");
    }
    if (plan_.ordered) delay = std::max(delay, way.last_arrival - now());
    way.last_arrival = now() + delay;
    at(delay, [this, a = from.place, b = to.place, connection = way.connection, sent = now(), parcel] {
      deliver(a, b, connection, sent, parcel);
    });
  }
}

void World::deliver(std::size_t a, std::size_t b, std::uint64_t connection, Instant sent, const ParcelPtr& parcel) {
  auto &from = hosts_[a], &to = hosts_[b];
  auto& way = link(from, to);
  if (way.connection != connection) return happened("faults: messages cut off in flight");
  if (!to.replica) return;
  if (way.clogged || to.paused) {
    way.waiting.emplace_back([this, a, b, connection, sent, parcel] { deliver(a, b, connection, sent, parcel); });
    return;
  }
  if (journal_) journal_->arrived(sent, now(), from.id, to.id, *parcel->message);
  hand_over(from, to, parcel);
}

void World::unclog(Link& link) {
  link.clogged = false;
  for (auto& arrive : std::exchange(link.waiting, {})) at(Duration{0}, std::move(arrive));
}

void World::resume(Host& host) {
  host.paused = false;
  for (auto& other : hosts_) {
    auto& way = link(other, host);
    if (!way.clogged) unclog(way);
  }
  step(host, Tick{});
}

/// What comes out of the receiver's own check of it.
VerifiedMessage World::check_for(NodeId receiver, const Parcel& parcel) {
  if (!parcel.checked_by_each) return parcel.checked;
  auto checked = verifier_.check(*parcel.message, receiver);
  ZELL_CHECK(checked.ok());  // when all of it was checked, it was not refused either
  if (!std::get<Proposal>((*checked)->get()).first_bad) happened("bad requests that others check");
  return *checked;
}

void World::hand_over(Host& from, Host& to, const ParcelPtr& parcel) {
  auto& liar = liars_[to.id.value];
  if (!liar) return step(to, Received{from.id, check_for(to.id, *parcel)});
  if (auto heard = liar->hear(parcel->message, from.id)) {
    if (heard == parcel->message) {
      step(to, Received{from.id, parcel->checked});
    } else if (auto checked = verifier_.check(*heard); checked.ok()) {
      step(to, Received{from.id, *checked});
    }
  }
  if (!to.replica) return;
  std::vector<Told> told;
  liar->speak_up(told);
  send_lies(to, told, nullptr);
}

void World::note_new_view(const NewView& news) {
  std::vector<std::optional<Certificate>> locks;
  for (const auto& host : hosts_) locks.push_back(host.disk.durable.highest_lc);
  observer_.new_view(news, checks_.highest_final(), locks);
}

}  // namespace zell::simulation
