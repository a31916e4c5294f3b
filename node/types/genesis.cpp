#include "node/types/genesis.h"

#include <algorithm>
#include <functional>
#include <set>

#include "node/base/check.h"
#include "node/base/coding.h"
#include "node/base/prng.h"

namespace zell {
namespace {

/// What a node may have to hold, or send in one frame, at once: a whole pipeline of batches. Leaves room in a frame of
/// 24 MiB for what comes with them.
constexpr std::uint64_t max_pipeline_bytes = 20ULL << 20;
constexpr std::size_t max_domain_bytes = 64;
constexpr std::size_t max_member_name_bytes = 32;

Error bad(std::string what, std::string hint = {}) {
  return {"bad-genesis", std::move(what), std::move(hint)};
}

bool is_member_name(std::string_view name) {
  auto allowed = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; };
  return !name.empty() && name.size() <= max_member_name_bytes && std::all_of(name.begin(), name.end(), allowed);
}

bool is_domain_text(std::string_view text) {
  auto printable = [](char c) { return c >= ' ' && c <= '~'; };
  return !text.empty() && text.size() <= max_domain_bytes && std::all_of(text.begin(), text.end(), printable);
}

Status check_member(const Member& member) {
  if (!is_member_name(member.name)) {
    return bad("member name '" + member.name.substr(0, max_member_name_bytes) + "' is not allowed",
               "use 1 to 32 of a-z, 0-9 and -");
  }
  if (member.key.bytes[0] != 2 && member.key.bytes[0] != 3) {
    return bad("the key of " + member.name + " is no compressed public key", "it is 33 bytes and starts with 02 or 03");
  }
  if (member.stake == 0) return bad("the stake of " + member.name + " is 0", "every member's stake is at least 1");
  return Ok{};
}

Status check_members(const std::vector<Member>& members) {
  if (members.empty()) return bad("there are no members", "name at least one");
  if (members.size() > max_members) {
    return bad("there are " + std::to_string(members.size()) + " members",
               "at most " + std::to_string(max_members) + " can be members");
  }
  std::set<std::string_view> names;
  std::set<PublicKey> keys;
  Wide total = 0;
  for (const auto& member : members) {
    if (auto status = check_member(member); !status) return status;
    if (!names.insert(member.name).second) return bad("two members are named " + member.name);
    if (!keys.insert(member.key).second) return bad("the key of " + member.name + " is another member's too");
    total += member.stake;
  }
  if (total >> 64 != 0) return bad("the stakes add up to 2^64 or more", "scale them all down");
  return Ok{};
}

struct Range {
  const char* name;
  std::uint32_t value;
  std::uint32_t low;
  std::uint32_t high;
};

Status check_parameters(const Parameters& p) {
  const Range ranges[] = {
      {"view_timeout_ms", p.view_timeout_ms, 50, 600'000},
      {"view_timeout_cap_ms", p.view_timeout_cap_ms, p.view_timeout_ms, 3'600'000},
      {"heartbeat_ms", p.heartbeat_ms, 1, p.view_timeout_ms / 2},
      {"censorship_timeout_ms", p.censorship_timeout_ms, 1, 600'000},
      {"batches_in_flight", p.batches_in_flight, 1, 64},
      {"batch_max_requests", p.batch_max_requests, 1, 65'536},
      {"request_max_bytes", p.request_max_bytes, 1 << 10, 1 << 20},
      {"batch_max_bytes", p.batch_max_bytes, std::max<std::uint32_t>(4 << 10, p.request_max_bytes), 4 << 20},
      {"forward_quota", p.forward_quota, 1, 1 << 20},
  };
  for (const auto& range : ranges) {
    if (range.value < range.low || range.value > range.high) {
      return bad(std::string(range.name) + " is " + std::to_string(range.value),
                 "here it must be from " + std::to_string(range.low) + " to " + std::to_string(range.high));
    }
  }
  if (std::uint64_t{p.batches_in_flight} * p.batch_max_bytes > max_pipeline_bytes) {
    return bad("batches_in_flight times batch_max_bytes is over 20 MiB", "lower one of them");
  }
  return Ok{};
}

void write_short_text(Writer& out, std::string_view text) {
  ZELL_CHECK(text.size() <= 255);
  out.u8(static_cast<std::uint8_t>(text.size()));
  out.raw(as_bytes(text));
}

}  // namespace

Status Genesis::validate() const {
  if (cluster_name.size() > max_domain_bytes) return bad("the cluster's name is longer than 64 bytes");
  if (!is_domain_text(domain_name) || !is_domain_text(domain_version)) {
    return bad("the signing domain's name or version is not allowed", "use 1 to 64 printable ASCII characters");
  }
  if (auto status = check_members(members); !status) return status;
  return check_parameters(parameters);
}

// The canonical form, all numbers big-endian:
//   "zell genesis" (12 ASCII bytes), u32 protocol version, u64 chain id,
//   u8 length and domain name, u8 length and domain version, u32 reference timestamp,
//   u16 member count, then for each member: 33 bytes compressed public key, u64 stake,
//   then each parameter as u32, in the order of struct Parameters.
// Names of members and of the cluster are labels and are not part of it.
Bytes Genesis::canonical_bytes() const {
  ZELL_CHECK(members.size() <= max_members);
  Writer out;
  out.raw(as_bytes("zell genesis"));
  out.u32(protocol_version);
  out.u64(chain_id);
  write_short_text(out, domain_name);
  write_short_text(out, domain_version);
  out.u32(reference_timestamp);
  out.u16(static_cast<std::uint16_t>(members.size()));
  for (const auto& member : members) {
    out.fixed(member.key);
    out.u64(member.stake);
  }
  const auto& p = parameters;
  for (auto value :
       {p.view_timeout_ms, p.view_timeout_cap_ms, p.heartbeat_ms, p.censorship_timeout_ms, p.batches_in_flight,
        p.batch_max_requests, p.batch_max_bytes, p.request_max_bytes, p.forward_quota}) {
    out.u32(value);
  }
  return out.take();
}

std::uint64_t Genesis::total_stake() const {
  std::uint64_t total = 0;
  for (const auto& member : members) total += member.stake;
  return total;
}

std::uint64_t Genesis::stake_of(const MemberSet& set) const {
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (set[i]) total += members[i].stake;
  }
  return total;
}

bool Genesis::is_quorum(const MemberSet& set) const {
  return Wide{3} * stake_of(set) > Wide{2} * total_stake();
}

bool Genesis::is_challenge_quorum(const MemberSet& set) const {
  return Wide{3} * stake_of(set) > total_stake();
}

std::size_t Genesis::tolerated_faults() const {
  std::vector<std::uint64_t> stakes;
  for (const auto& member : members) stakes.push_back(member.stake);
  std::sort(stakes.begin(), stakes.end(), std::greater<>());
  const Wide total = total_stake();
  Wide faulty = 0;
  std::size_t count = 0;
  for (auto stake : stakes) {
    faulty += stake;
    if (3 * faulty >= total) break;
    ++count;
  }
  return count;
}

NodeId Genesis::leader(View view) const {
  ZELL_CHECK(!members.empty());
  return {static_cast<std::uint16_t>(view.value % members.size())};
}

bool Genesis::is_checker(NodeId member, NodeId leader, std::uint64_t chooser) const {
  if (member == leader) return true;
  const Wide enough = Wide{2} * total_stake();
  std::uint64_t held = members.at(leader.value).stake;
  for (std::size_t step = 0; Wide{3} * held <= enough; ++step) {
    const auto others = members.size() - 1;
    ZELL_CHECK(step < others);  // all members together are a quorum
    const auto at = (leader.value + 1 + (chooser % others + step) % others) % members.size();
    if (at == member.value) return true;
    held += members[at].stake;
  }
  return false;
}

std::optional<NodeId> Genesis::member_with_key(const PublicKey& key) const {
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (members[i].key == key) return NodeId{static_cast<std::uint16_t>(i)};
  }
  return std::nullopt;
}

}  // namespace zell
