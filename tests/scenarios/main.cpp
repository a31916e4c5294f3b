// scenarios [--rewrite] FILE...: runs scripts, and compares what happens with what they say; --rewrite makes them say
// it. A script: comments (#), then blocks of commands, a line "----", and what they bring about, up to an empty line.

#include <cstdio>
#include <cstring>
#include <fstream>
#include <sstream>

#include "tests/scenarios/stage.h"

using namespace zell::scenarios;

namespace {

struct Block {
  std::size_t line = 0;
  std::vector<std::string> lines;  ///< commands, and comments between them
  std::string expected;
};

bool is_comment(const std::string& line) {
  return line.starts_with('#');
}

std::vector<Block> read(std::istream& in) {
  std::vector<Block> out;
  std::string line;
  bool expecting = false, open = false;
  for (std::size_t number = 1; std::getline(in, line); ++number) {
    if (line.empty() && open) {
      expecting = open = false;
      continue;
    }
    if (line.empty()) continue;
    if (!open) {
      out.emplace_back();
      open = true;
    }
    auto& block = out.back();
    if (expecting) {
      block.expected += line + "\n";
    } else if (line == "----") {
      expecting = true;
    } else {
      if (block.line == 0 && !is_comment(line)) block.line = number;
      block.lines.push_back(line);
    }
  }
  return out;
}

std::string text_of(const Block& block) {
  std::string out;
  for (const auto& line : block.lines) out += line + "\n";
  if (block.line != 0) out += "----\n";
  return out + block.expected;
}

void complain(const std::string& file, const Block& block, const std::string& found) {
  std::fprintf(stderr, "%s:%zu:\n", file.c_str(), block.line);
  for (const auto& line : block.lines) std::fprintf(stderr, "  %s\n", line.c_str());
  std::fprintf(stderr, "should bring about\n%sbut what happens is\n%s\n", block.expected.c_str(), found.c_str());
}

/// True if all is as it says.
bool perform(const std::string& file, bool rewrite) {
  std::ifstream in(file);
  auto blocks = read(in);
  if (blocks.empty() || !is_comment(blocks.front().lines.front())) {
    std::fprintf(stderr, "%s: a script begins with the rule that it shows\n", file.c_str());
    return false;
  }
  Stage stage;
  bool good = true;
  std::string text;
  for (auto& block : blocks) {
    std::string found;
    try {
      for (const auto& line : block.lines) {
        if (!is_comment(line)) found += stage.run(line);
      }
      if (&block == &blocks.back()) stage.finish();
    } catch (const std::exception& error) {
      std::fprintf(stderr, "%s%s:%zu: %s\n", found.c_str(), file.c_str(), block.line, error.what());
      return false;
    }
    if (found != block.expected && !rewrite) {
      complain(file, block, found);
      good = false;
    }
    block.expected = found;
    text += (text.empty() ? "" : "\n") + text_of(block);
  }
  if (rewrite) std::ofstream(file) << text;
  return good;
}

}  // namespace

int main(int argc, char** argv) {
  bool rewrite = argc > 1 && std::strcmp(argv[1], "--rewrite") == 0;
  int first = rewrite ? 2 : 1;
  if (first == argc) {
    std::fprintf(stderr, "usage: scenarios [--rewrite] FILE...\n");
    return 2;
  }
  bool good = true;
  for (int i = first; i < argc; ++i) good = perform(argv[i], rewrite) && good;
  return good ? 0 : 1;
}
