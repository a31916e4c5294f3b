#pragma once
// One call of Client::submit or Client::wait: requests on their way to a state, over several nodes and tries.

#include "client/deadline.h"
#include "client/session.h"

namespace zell {

class Submission {
 public:
  Submission(ClientSession& session, std::span<const RequestPtr> requests, RequestState wait,
             std::chrono::milliseconds timeout);
  [[nodiscard]] Result<std::vector<Outcome>> run();

 private:
  using Positions = std::vector<std::size_t>;  ///< in requests_ and outcomes_

  /// Refuses at once what no correct node would take.
  void check_locally();
  [[nodiscard]] Positions pending() const;
  /// True if trying once more after round `turn` could bring an answer.
  [[nodiscard]] bool worth_another(std::size_t turn) const;
  /// As many of `open` as one call may carry.
  [[nodiscard]] Positions one_call(const Positions& open) const;
  /// Asks each node once; true if some node answered.
  bool round(std::size_t first);
  [[nodiscard]] Status attempt(std::size_t node, const Positions& open);
  void take_claim(std::size_t node, std::size_t position, const RequestClaim& claim);
  /// Proves what the node says is finalised. An error: the node is of no more use for now.
  [[nodiscard]] Status prove(std::size_t node, const Positions& claimed);
  [[nodiscard]] Status prove_by_reading(std::size_t node, const Positions& claimed);
  void settle(std::size_t node, std::size_t position, const CertificatePtr& certificate);
  [[nodiscard]] std::vector<RequestPtr> requests_at(const Positions& positions) const;

  ClientSession& session_;
  std::vector<RequestPtr> requests_;
  RequestState wait_;
  Deadline deadline_;
  std::vector<Outcome> outcomes_;
  std::vector<bool> done_;
  std::vector<std::size_t> refusals_;  ///< nodes that refused it for good in this round
  std::size_t answers_ = 0;            ///< nodes that answered in this round
  bool ever_answered_ = false;
  bool unreachable_ = false, busy_ = false;  ///< some node was, in this round
  std::optional<Error> last_;
};

}  // namespace zell
