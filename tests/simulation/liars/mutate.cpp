#include "tests/simulation/liars/mutate.h"

#include <type_traits>
#include <utility>

namespace zell::simulation {
namespace {

/// Walks a message's fields in order, and changes the one whose turn it is.
class Mutator {
 public:
  /// turn: which field, from 0; past the last one nothing is changed.
  Mutator(Prng& random, std::uint64_t turn) : random_(random), turn_(turn) {}
  [[nodiscard]] std::uint64_t count() const { return count_; }

  void field(Forward& m) { list(m.requests); }
  void field(Proposal& m) {
    field(m.header);
    field(m.lc);
    field(m.fc);
    if (!mine()) return;
    auto requests = *m.requests;
    change_list(requests);
    m.requests = std::make_shared<const Requests>(std::move(requests));
  }
  void field(Vote& m) { fields(m.phase, m.view, m.point, m.signer, m.signature); }
  void field(CertificateMessage& m) { field(m.certificate); }
  void field(Heartbeat& m) { fields(m.view, m.tip, m.counter, m.signature, m.lc, m.fc); }
  void field(Challenge& m) {
    field(m.signed_part);
    list(m.censored);
    if (mine()) m.evidence.reset();
  }
  void field(ChallengeCertificate& m) { list_of_fields(m.challenges); }
  void field(ViewChange& m) { fields(m.signed_part, m.lc, m.fc); }
  void field(NewView& m) {
    fields(m.view, m.base, m.base_lc, m.signature);
    list_of_fields(m.changes);
  }
  void field(Fetch& m) { fields(m.kind, m.view, m.from, m.target); }
  void field(Chunk& m) {
    fields(m.from, m.fc);
    list(m.batches);
    for (auto& batch : m.batches) {
      Batch copy = *batch;
      auto before = count_;
      field(copy.header);
      if (turn_ >= before && turn_ < count_) batch = std::make_shared<const Batch>(std::move(copy));
    }
  }
  void field(ViewQuery& m) { field(m.nonce); }
  void field(ViewAnswer& m) { fields(m.node, m.view, m.nonce, m.signature); }
  void field(Conflict& m) {
    fields(m.a, m.b, m.b_root_at_a);
    list_of_fields(m.consistency);
  }

 private:
  bool mine() { return count_++ == turn_; }
  template <class... Parts>
  void fields(Parts&... parts) {
    (field(parts), ...);
  }
  void field(Certificate& c) {
    fields(c.phase, c.view, c.point);
    list_of_fields(c.signatures);
  }
  void field(SignerSignature& s) { fields(s.node, s.signature); }
  void field(ProposalHeader& h) { fields(h.view, h.first, h.parent_root, h.end, h.signature); }
  void field(SignedChallenge& c) { fields(c.node, c.view, c.reason, c.signature); }
  void field(SignedViewChange& c) { fields(c.node, c.view, c.lock, c.signature); }
  void field(LogPoint& p) { fields(p.index, p.root); }
  void field(Lock& l) { fields(l.view, l.point); }
  void field(std::optional<Certificate>& c) {
    if (!c) return;
    field(*c);
    if (mine()) c.reset();
  }
  template <class Tag>
  void field(Number<Tag>& n) {
    field(n.value);
  }
  void field(NodeId& node) {
    if (mine()) node.value = static_cast<std::uint16_t>(random_.chance(900'000) ? random_.below(10) : random_.next());
  }
  void field(std::uint64_t& n) {
    if (!mine()) return;
    switch (random_.below(4)) {
      case 0:
        n += 1;
        break;
      case 1:
        n -= 1;
        break;
      case 2:
        n = random_.below(20);
        break;
      default:
        n = random_.next();
    }
  }
  template <std::size_t size, class Tag>
  void field(FixedBytes<size, Tag>& bytes) {
    if (mine()) bytes.bytes[random_.below(size)] ^= static_cast<std::uint8_t>(1 + random_.below(255));
  }
  template <class Enum>
  void field(Enum& value)
    requires std::is_enum_v<Enum>
  {
    if (mine()) value = static_cast<Enum>(random_.below(8));
  }
  template <class T>
  void change_list(std::vector<T>& items) {
    if (items.empty()) return;
    auto at = static_cast<std::ptrdiff_t>(random_.below(items.size()));
    switch (random_.below(3)) {
      case 0:
        items.erase(items.begin() + at);
        break;
      case 1:
        items.insert(items.begin() + at, T(items[static_cast<std::size_t>(at)]));
        break;
      default:
        std::swap(items.front(), items[static_cast<std::size_t>(at)]);
    }
  }
  template <class T>
  void list(std::vector<T>& items) {
    if (mine()) change_list(items);
  }
  template <class T>
  void list_of_fields(std::vector<T>& items) {
    for (auto& item : items) field(item);
    list(items);
  }

  Prng& random_;
  std::uint64_t turn_, count_ = 0;
};

}  // namespace

void mutate(Message& message, Prng& random) {
  Mutator counting(random, ~0ULL);
  std::visit([&](auto& m) { counting.field(m); }, message);
  if (counting.count() == 0) return;
  Mutator changing(random, random.below(counting.count()));
  std::visit([&](auto& m) { changing.field(m); }, message);
}

Signature malleated(const Signature& signature, Prng& random) {
  static const auto order = *fixed_from_hex<Hash>("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141");
  Signature out = signature;
  out.bytes[64] = signature.bytes[64] == 27 ? 28 : 27;
  if (random.chance(300'000)) return out;
  int borrow = 0;
  for (std::size_t at = 32; at-- > 0;) {
    int difference = order.bytes[at] - signature.bytes[32 + at] - borrow;
    borrow = difference < 0 ? 1 : 0;
    out.bytes[32 + at] = static_cast<std::uint8_t>(difference);
  }
  if (random.chance(500'000)) out.bytes[64] = signature.bytes[64];
  return out;
}

}  // namespace zell::simulation
