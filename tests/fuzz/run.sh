#!/usr/bin/env bash
# run.sh BUILD SECONDS JOBS: builds every fuzzer in BUILD, runs each for SECONDS from the committed corpus, and fails if one
# finds something or did not execute at all.
set -euo pipefail
build=$1 seconds=$2 jobs=$3
here=$(cd "$(dirname "$0")" && pwd)
mapfile -t fuzzers < <(cd "$here" && ls fuzz_*.cpp | sed 's/\.cpp$//')
ninja -C "$build" -j "$jobs" --quiet "${fuzzers[@]}"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
for fuzzer in "${fuzzers[@]}"; do
  mkdir "$scratch/$fuzzer"
  corpus=$here/corpus/${fuzzer#fuzz_}
  [ "$fuzzer" = fuzz_verifier ] && corpus=$here/corpus/message
  "$build/tests/fuzz/$fuzzer" -max_total_time="$seconds" -print_final_stats=1 -artifact_prefix="$scratch/" \
    "$scratch/$fuzzer" "$corpus" >"$scratch/log" 2>&1 || { tail -n 40 "$scratch/log"; exit 1; }
  executed=$(sed -n 's/^stat::number_of_executed_units: *//p' "$scratch/log")
  [ "${executed:-0}" -gt 100 ] || { echo "$fuzzer executed only ${executed:-0} inputs"; exit 1; }
  echo "$fuzzer: $executed inputs in $seconds s, nothing found"
done
