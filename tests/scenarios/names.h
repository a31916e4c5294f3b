#pragma once
// Short names for what a trace speaks of. A log point is its index, with a letter when logs differ there: 2, then 2b.

#include <map>
#include <string>
#include <vector>

#include "node/consensus/io.h"
#include "node/crypto/log_tree.h"

namespace zell::scenarios {

class Names {
 public:
  Names() { ranges_[{{0}, empty_root()}] = {}; }

  void name_request(const RequestPtr& request, std::string name) { requests_[request->id] = std::move(name); }
  /// Learns the logs that a message's batches make.
  void learn(const Message& message);
  void learn(const ProposalHeader& header, const Requests& requests);

  [[nodiscard]] std::string point(const LogPoint& point);
  [[nodiscard]] std::string lock(const Lock& lock);
  [[nodiscard]] std::string request(const RequestId& id) const;
  [[nodiscard]] std::string requests(const Requests& requests) const;
  [[nodiscard]] std::string certificate(const Certificate& certificate);
  [[nodiscard]] std::string message(const Message& message);
  [[nodiscard]] std::string evidence(const Evidence& evidence);
  [[nodiscard]] std::string event(const Event& event);

  /// The point of that name; throws if there is none.
  [[nodiscard]] LogPoint find_point(const std::string& name) const;
  /// The log's compact range there, which its batches made; throws if they were never seen.
  [[nodiscard]] const CompactRange& range_at(const LogPoint& point) const;

 private:
  std::map<RequestId, std::string> requests_;
  std::map<LogPoint, CompactRange> ranges_;
  std::map<Index, std::vector<Hash>> roots_;  // in the order in which they were first spoken of
};

[[nodiscard]] std::string node_name(NodeId node);
[[nodiscard]] std::string view_name(View view);
/// "LOCK", "FC", "Proposal" ...: the first word of a message's text, by which scripts choose messages.
[[nodiscard]] std::string kind_of(const Message& message);

}  // namespace zell::scenarios
