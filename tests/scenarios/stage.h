#pragma once
// Carries out the commands of a script on a cluster. The commands are listed in README.md.

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/scenarios/cluster.h"
#include "tests/scenarios/forger.h"
#include "tests/scenarios/names.h"
#include "tests/scenarios/trace.h"
#include "tests/scenarios/watch.h"

namespace zell::scenarios {

/// The words of a command, taken from the left. Anything unexpected throws std::runtime_error.
class Words {
 public:
  explicit Words(const std::string& line);
  [[nodiscard]] bool empty() const { return at_ == words_.size(); }
  [[nodiscard]] const std::string& peek() const;
  [[nodiscard]] std::string take();
  bool take_if(const std::string& word);
  void expect(const std::string& word);
  [[nodiscard]] std::uint64_t number(const std::string& prefix = "");
  void end() const;

 private:
  std::vector<std::string> words_;
  std::size_t at_ = 0;
};

class Stage {
 public:
  Stage() : trace_(names_), forger_(names_) {}
  /// What the command brought about, as text.
  [[nodiscard]] std::string run(const std::string& command);
  /// What holds at the end of every script.
  void finish() const;

 private:
  using Command = void (Stage::*)(Words&);
  static const std::map<std::string, Command>& commands();

  void cluster(Words& words);
  void submit(Words& words);
  void deliver(Words& words);
  void settle(Words& words);
  void drop(Words& words);
  void lose(Words& words);
  void persist(Words& words);
  void crash(Words& words);
  void stop(Words& words);
  void wipe(Words& words);
  void backup(Words& words);
  void restore(Words& words);
  void start(Words& words);
  void advance(Words& words);
  void run_for(Words& words);
  void challenge(Words& words);
  void partition(Words& words);
  void disconnect(Words& words);
  void heal(Words& words);
  void in_flight(Words& words);
  void status(Words& words);
  void log(Words& words);
  void evidence(Words& words);
  void as(Words& words);

  [[nodiscard]] ProcessId process(const std::string& name) const;
  [[nodiscard]] std::vector<ProcessId> processes(Words& words) const;
  [[nodiscard]] Cluster::Filter filter(Words& words) const;
  [[nodiscard]] RequestPtr request(const std::string& name);
  [[nodiscard]] Requests requests(Words& words);
  [[nodiscard]] std::vector<ProcessId> recipients(Words& words, ProcessId from) const;
  void say_status(const Process& process);

  Names names_;
  Trace trace_;
  Forger forger_;
  std::unique_ptr<Watch> watch_;
  std::unique_ptr<Cluster> cluster_;
  std::map<std::string, RequestPtr> requests_;
  std::vector<Cluster::Filter> losses_;
  std::map<ProcessId, std::size_t> backups_;  // commits at the time
};

}  // namespace zell::scenarios
