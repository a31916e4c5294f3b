#include "node/consensus/nonces.h"

#include <algorithm>

#include "node/base/check.h"

namespace zell {

std::string_view refusal_of(NonceVerdict verdict) {
  ZELL_CHECK(verdict != NonceVerdict::fresh);
  return verdict == NonceVerdict::duplicate ? "duplicate" : "nonce-too-old";
}

NonceWindows::NonceWindows(const std::vector<SenderNonces>& senders) {
  for (const auto& one : senders) {
    windows_.emplace(one.sender, one.nonces);
    count_ += one.nonces.size();
  }
}

std::vector<SenderNonces> NonceWindows::all() && {
  std::vector<SenderNonces> out;
  out.reserve(windows_.size());
  for (auto& [sender, nonces] : windows_) out.push_back({sender, std::move(nonces)});
  windows_.clear();
  count_ = 0;
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.sender < b.sender; });
  return out;
}

NonceVerdict NonceWindows::check(const PublicKey& sender, std::uint64_t nonce) const {
  auto found = windows_.find(sender);
  if (found == windows_.end()) return NonceVerdict::fresh;
  const auto& window = found->second;
  if (std::binary_search(window.begin(), window.end(), nonce)) return NonceVerdict::duplicate;
  if (window.size() == nonces_per_sender && nonce < window.front()) return NonceVerdict::too_old;
  return NonceVerdict::fresh;
}

NonceWindows::Undo NonceWindows::insert(const PublicKey& sender, std::uint64_t nonce) {
  ZELL_CHECK(check(sender, nonce) == NonceVerdict::fresh);
  auto& window = windows_[sender];
  Undo undo{sender, nonce, std::nullopt};
  if (window.size() == nonces_per_sender) {
    undo.evicted = window.front();
    window.erase(window.begin());
    --count_;
  }
  window.insert(std::upper_bound(window.begin(), window.end(), nonce), nonce);
  ++count_;
  return undo;
}

void NonceWindows::undo(const Undo& undo) {
  auto found = windows_.find(undo.sender);
  ZELL_CHECK(found != windows_.end());
  auto& window = found->second;
  auto at = std::lower_bound(window.begin(), window.end(), undo.added);
  ZELL_CHECK(at != window.end() && *at == undo.added);
  window.erase(at);
  --count_;
  if (undo.evicted) {
    window.insert(window.begin(), *undo.evicted);
    ++count_;
  }
  if (window.empty()) windows_.erase(found);
}

}  // namespace zell
