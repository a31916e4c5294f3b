#pragma once
// What a person sees of a bench.

#include "cluster/load/result.h"

namespace zell::cli {

/// A few lines and a table on stdout; warnings as talk. Nothing is measured here.
void print_bench(const BenchResult& result);

/// "it is 30.1 ms", or "not measured".
[[nodiscard]] std::string measured_text(const Asserted& one);

/// What a reader should know before believing the figures.
[[nodiscard]] std::vector<std::string> bench_warnings(const BenchResult& result);

}  // namespace zell::cli
