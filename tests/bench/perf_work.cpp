// perf_work              the pieces: name, operations in a run, runs, what an operation is; with tabs between
// perf_work NAME RUNS    prepares the piece and does its work so often
// perf.py counts the instructions of both a single run and of more, so that preparing drops out.

#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <string>

#include "tests/bench/piece.h"

int main(int argc, char** argv) {
  using namespace zell::bench;
  std::vector<Piece> pieces;
  for (const auto& group : {wire_pieces(), core_pieces(), store_pieces(), json_pieces()}) {
    pieces.insert(pieces.end(), group.begin(), group.end());
  }
  if (argc == 1) {
    for (const auto& piece : pieces) {
      std::cout << piece.name << '\t' << piece.operations << '\t' << piece.runs << '\t' << piece.unit << '\n';
    }
    return 0;
  }
  for (const auto& piece : pieces) {
    if (argc != 3 || piece.name != argv[1]) continue;
    const unsigned long runs = std::strtoul(argv[2], nullptr, 10);
    if (runs == 0 || runs > piece.runs + 1) break;
    const auto run = piece.prepare();
    for (unsigned long i = 0; i < runs; ++i) run();
    return 0;
  }
  std::cerr << "usage: perf_work [NAME RUNS], with at most one run more than the list says\n";
  return 2;
}
