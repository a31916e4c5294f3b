#include "cluster/load/machine.h"

#include <sys/utsname.h>

#include <algorithm>
#include <fstream>
#include <thread>

#include "node/base/check.h"

namespace zell {
namespace {

std::string cpu_model() {
  std::ifstream lines("/proc/cpuinfo");
  for (std::string line; std::getline(lines, line);) {
    const auto colon = line.find(": ");
    if (line.starts_with("model name") && colon != std::string::npos) return line.substr(colon + 2);
  }
  return "unknown";
}

}  // namespace

Machine Machine::here() {
  utsname names{};
  ZELL_CHECK(::uname(&names) == 0);
  return {cpu_model(), std::max(1U, std::thread::hardware_concurrency()),
          std::string(names.sysname) + " " + names.release};
}

nlohmann::ordered_json Machine::to_json() const {
  return {{"cpu", cpu}, {"cores", cores}, {"kernel", kernel}};
}

}  // namespace zell
