#include "node/wire/messages.h"

#include <array>

#include "node/base/coding.h"
#include "node/crypto/hash.h"

namespace zell {
namespace {

constexpr std::array<std::string_view, std::variant_size_v<Message>> message_names{
    "Forward",    "Proposal", "Vote",  "Certificate", "Heartbeat", "Challenge",  "ChallengeCertificate",
    "ViewChange", "NewView",  "Fetch", "Chunk",       "ViewQuery", "ViewAnswer", "Conflict"};

struct LaneOf {
  Lane operator()(const Forward&) const { return Lane::normal; }
  Lane operator()(const Proposal&) const { return Lane::normal; }
  Lane operator()(const Heartbeat&) const { return Lane::normal; }
  Lane operator()(const Fetch&) const { return Lane::normal; }
  Lane operator()(const Chunk&) const { return Lane::bulk; }
  template <class Other>
  Lane operator()(const Other&) const {
    return Lane::urgent;
  }
};

}  // namespace

Hash changes_hash(const SigningDomain& domain, const std::vector<SignedViewChange>& changes) {
  Writer out;
  out.reserve(changes.size() * (2 + Hash::size + Signature::size));
  for (const auto& change : changes) {
    out.u16(change.node.value);
    out.fixed(view_change_digest(domain, change.view, change.lock));
    out.fixed(change.signature);
  }
  return keccak256(out.bytes());
}

std::string_view name_of(const Message& message) {
  return message_names[message.index()];
}

Lane lane_of(const Message& message) {
  return std::visit(LaneOf{}, message);
}

}  // namespace zell
