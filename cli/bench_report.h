#pragma once
// What a person sees of a bench.

#include "cluster/load/result.h"

namespace zell::cli {

/// A few lines and a table on stdout; warnings as talk. Nothing is measured here.
void print_bench(const BenchResult& result);

/// What a reader should know before believing the figures.
[[nodiscard]] std::vector<std::string> bench_warnings(const BenchResult& result);

}  // namespace zell::cli
