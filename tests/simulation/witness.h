#pragma once
// Looks at every certificate and NewView that crosses the wire, whoever gets it: together they must tell of one
// history.

#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "node/types/genesis.h"
#include "node/wire/messages.h"
#include "tests/simulation/chain_tree.h"
#include "tests/simulation/violation.h"

namespace zell::simulation {

/// How often a run went through a named situation.
using Seen = std::map<std::string, std::uint64_t>;

class Witness {
 public:
  Witness(const Genesis& genesis, ChainTree& chains, Seen& seen) : genesis_(genesis), chains_(chains), seen_(seen) {}

  /// Something that every verifier takes. Throws Violation.
  void saw(const Message& message);
  /// A certificate that an honest node holds.
  void saw(const Certificate& certificate) { saw_certificate(certificate); }

 private:
  void saw_certificate(const Certificate& certificate);
  void saw_certificate(const std::optional<Certificate>& certificate) {
    if (certificate) saw_certificate(*certificate);
  }
  void saw_lock(const Certificate& lc);
  void saw_finality(const Certificate& fc);
  void saw_new_view(const NewView& news);
  /// A quorum of distinct members, counted here anew.
  void check_stake(const Certificate& certificate) const;
  void require_extends(const LogPoint& longer, const LogPoint& prefix, const std::string& rule) const;

  const Genesis& genesis_;
  ChainTree& chains_;
  Seen& seen_;
  std::set<std::tuple<Phase, View, LogPoint>> known_;
  std::map<View, std::vector<LogPoint>> locks_, bases_;
  std::vector<Lock> finals_;
};

}  // namespace zell::simulation
