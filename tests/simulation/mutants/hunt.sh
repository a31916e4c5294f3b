#!/usr/bin/env bash
# hunt.sh [--quick] BUILD [NAME...]: looks for the planted bugs, all or those named, with the programs under BUILD (a
# build folder's tests/simulation), and prints a line for each: seeds and seconds until it was caught, and by what.
#   default  up to SEEDS seeds (20,000) a bug, JOBS (1) at once
#   --quick  up to the number of seeds that the bug's patch names
# In a patch, the first line is the rule that it takes away, and then come
#   # seeds: N        within so many the simulator must catch it
#   # plan: TEXT      every seed's plan changed so (simulate --plan), for what random worlds seldom go through
# or, for what the simulator does not go through,
#   # unit: NAME      this test case of unit_consensus must catch it
#   # scenario: NAME  this one of tests/scenarios/scripts
# Fails if a bug is not caught, or if what caught it fails without the bug too.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
quick=false
[ "${1:-}" = --quick ] && { quick=true; shift; }
build=$1
shift
names=("$@")
[ ${#names[@]} -gt 0 ] || mapfile -t names < <(cd "$here" && basename -s .patch -- *.patch)

log=$(mktemp)
trap 'rm -f "$log"' EXIT
give_up() { cat "$log" >&2; echo "$1" >&2; exit 2; }
field() { sed -n "s/^# $1: //p" "$here/$2.patch"; } # what the patch says of itself

# Each of these says by what the bug of this name was caught, if it was, and in how many seeds.
simulate() { # name
  local budget plan seed code=0
  budget=$(field seeds "$1")
  [ -n "$budget" ] || give_up "$1.patch names no seeds"
  plan=$(field plan "$1")
  $quick || budget=${SEEDS:-20000}
  "$build/mutant_$1" 1 "$budget" --expect-violation --jobs "${JOBS:-1}" --plan "$plan" >"$log" 2>&1 || code=$?
  seed=$(sed -n 's/^VIOLATION in seed \([0-9]*\):.*/\1/p' "$log")
  if [ -n "$seed" ] && ! "$build/simulate" "$seed" 1 --plan "$plan" >>"$log"; then
    give_up "$1: the core without the planted bug fails too in seed $seed"
  fi
  case $code in
    0) by=$(sed -n '/^VIOLATION/{n;s/^ *//;s/^n[0-9]* //;s/[:,;].*//;s/ [0-9].*//;p;q}' "$log"); seeds=$(sed -n 's/^caught after \([0-9]*\) .*/\1/p' "$log") ;;
    1) by=""; seeds=$budget ;;
    134) by="the core's own assertion"; seeds="?" ;;
    *) give_up "$1: the simulator ended with $code" ;;
  esac
}
run_test() { # name, kind, what it prints when a check of its own fails, the true core's program, arguments...
  local name=$1 kind=$2 complaint=$3 program=$4
  shift 4
  seeds=-
  "$program" "$@" >"$log" 2>&1 || give_up "$name: the core without the planted bug fails too"
  if "$build/mutant_$name" "$@" >"$log" 2>&1; then by=""; else by=$kind; fi
  [ -z "$by" ] || grep -q "$complaint" "$log" || give_up "$name: it is not the test's own checks that failed"
}

survivors=0
printf '%-34s %7s %7s  %-36s %s\n' "planted bug" seeds seconds "caught by" "rule taken away"
for name in "${names[@]}"; do
  began=$EPOCHREALTIME
  unit=$(field unit "$name")
  scenario=$(field scenario "$name")
  if [ -n "$unit" ]; then
    run_test "$name" "a unit test" "^with expansion:" "$build/../unit_consensus" --warn NoTests "$unit"
  elif [ -n "$scenario" ]; then
    run_test "$name" "a scenario" "^should bring about" "$build/../scenarios/scenarios" \
      "$here/../../scenarios/scripts/$scenario.txt"
  else
    simulate "$name"
  fi
  seconds=$(awk "BEGIN { printf \"%.1f\", $EPOCHREALTIME - $began }")
  printf '%-34s %7s %7s  %-36s %s\n' "$name" "$seeds" "$seconds" "${by:-nothing: it survives}" \
    "$(sed -n '1s/^# //p' "$here/$name.patch")"
  sed -nE "s/^# ((unit|scenario): .*)/$(printf '%52s' "")\1/p" "$here/$name.patch"
  [ -n "$by" ] || survivors=$((survivors + 1))
done
[ $survivors = 0 ] || { echo "$survivors of ${#names[@]} survive" >&2; exit 1; }
