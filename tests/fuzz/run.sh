#!/usr/bin/env bash
# run.sh BUILD SECONDS JOBS: builds every fuzzer in BUILD, runs each for SECONDS from the committed corpus, JOBS of them at
# a time, and fails if one finds something or did not execute at all. What it found stays in BUILD/found.
set -euo pipefail
build=$1 seconds=$2 jobs=$3
here=$(cd "$(dirname "$0")" && pwd)
found=$build/found
mkdir -p "$found"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

run_one() { # fuzzer
  local fuzzer=$1 corpus=$here/corpus/${1#fuzz_}
  [ "$fuzzer" = fuzz_verifier ] && corpus=$here/corpus/message
  mkdir "$scratch/$fuzzer"
  "$build/tests/fuzz/$fuzzer" -max_total_time="$seconds" -rss_limit_mb=2048 -timeout=20 -print_final_stats=1 \
    -artifact_prefix="$found/$fuzzer-" "$scratch/$fuzzer" "$corpus" >"$scratch/$fuzzer.log" 2>&1 ||
    { tail -n 40 "$scratch/$fuzzer.log"; echo "$fuzzer found something: $found"; exit 255; }
  local executed covered
  executed=$(sed -n 's/^stat::number_of_executed_units: *//p' "$scratch/$fuzzer.log")
  covered=$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$scratch/$fuzzer.log" | tail -n 1)
  [ "${executed:-0}" -gt 100 ] || { echo "$fuzzer executed only ${executed:-0} inputs"; exit 255; }
  echo "$fuzzer: $executed inputs in $seconds s, $covered edges, nothing found"
}
export -f run_one
export build seconds here found scratch

ninja -C "$build" -j "$jobs" --quiet fuzzers
(cd "$here" && ls fuzz_*.cpp) | sed 's/\.cpp$//' | xargs -P "$jobs" -I{} bash -euo pipefail -c 'run_one {}'
