#pragma once
// What a faulty member signs. It has its own key and what it has seen on the network, and no more: a certificate needs
// votes that honest members have really sent.

#include <map>

#include "tests/scenarios/cluster.h"
#include "tests/scenarios/names.h"

namespace zell::scenarios {

class Forger : public Observer {
 public:
  explicit Forger(const Names& names) : names_(names) {}
  void set_cluster(const Cluster* cluster) { cluster_ = cluster; }

  /// A proposal of `requests` after `parent`, whose bodies are `shown`.
  [[nodiscard]] Message proposal(NodeId as, View view, const LogPoint& parent, const Requests& requests,
                                 const Requests& shown) const;
  [[nodiscard]] Message vote(NodeId as, Phase phase, View view, const LogPoint& point) const;
  [[nodiscard]] Message certificate(NodeId as, Phase phase, View view, const LogPoint& point) const;
  /// A ViewChange that says that nothing was ever locked.
  [[nodiscard]] Message empty_report(NodeId as, View view) const;
  /// Out of what these members reported; `without_base`: as if none had reported a lock.
  [[nodiscard]] Message new_view(NodeId as, View view, const std::vector<NodeId>& of, bool without_base) const;
  [[nodiscard]] Message challenge(NodeId as, View view, Reason reason) const;

  /// The first that the other sent of this kind.
  [[nodiscard]] Message replay(NodeId other, const std::string& kind) const;

  /// A request whose signature is not its sender's.
  [[nodiscard]] RequestPtr bad_request(const Request& good) const;

  void sent(const Process& from, const Message& message, bool signs, const std::vector<ProcessId>& to) override;

 private:
  const Names& names_;
  const Cluster* cluster_ = nullptr;
  std::map<std::tuple<Phase, View, LogPoint>, std::map<NodeId, Signature>> votes_;
  std::map<std::pair<View, NodeId>, ViewChange> reports_;
  std::map<std::pair<NodeId, std::string>, Message> first_;
};

}  // namespace zell::scenarios
