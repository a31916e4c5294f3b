#!/usr/bin/env bash
# hunt.sh [--quick] BUILD [NAME...]: looks for the planted bugs, all or those named, with the simulators under BUILD
# (a build folder's tests/simulation), and prints a line for each: seeds and seconds until it was caught, and by what.
#   default  up to SEEDS seeds (20,000) a bug, JOBS (1) at once
#   --quick  up to the number of seeds that the bug's patch names
# In a patch, the first line is the rule that it takes away, and then come
#   # seeds: N        within so many it must be caught
#   # plan: TEXT      every seed's plan changed so (simulate --plan), for what random worlds seldom go through
#   # survives: WHY   it is not caught in so many seeds, for a reason that is known
# Fails if a bug is not caught whose patch does not say why, if one is caught that should survive, or if the core
# without the bug fails in the seed that caught it.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
quick=false
[ "${1:-}" = --quick ] && { quick=true; shift; }
build=$1
shift
names=("$@")
[ ${#names[@]} -gt 0 ] || mapfile -t names < <(cd "$here" && basename -s .patch -- *.patch)

field() { sed -n "s/^# $1: //p" "$here/$2.patch"; } # what the patch says of itself

log=$(mktemp)
trap 'rm -f "$log"' EXIT
surprises=0
printf '%-34s %7s %7s  %-36s %s\n' "planted bug" seeds seconds "caught by" "rule taken away"
for name in "${names[@]}"; do
  rule=$(sed -n '1s/^# //p' "$here/$name.patch")
  budget=$(field seeds "$name")
  [ -n "$budget" ] || { echo "$name.patch names no seeds" >&2; exit 2; }
  plan=$(field plan "$name")
  $quick || budget=${SEEDS:-20000}
  began=$EPOCHREALTIME
  code=0
  "$build/simulate_mutant_$name" 1 "$budget" --expect-violation --jobs "${JOBS:-1}" --plan "$plan" >"$log" 2>&1 || code=$?
  seed=$(sed -n 's/^VIOLATION in seed \([0-9]*\):.*/\1/p' "$log")
  if [ -n "$seed" ] && ! "$build/simulate" "$seed" 1 --plan "$plan" >>"$log"; then
    cat "$log" >&2
    echo "$name: the core without the planted bug fails too in seed $seed" >&2
    exit 2
  fi
  seconds=$(awk "BEGIN { printf \"%.1f\", $EPOCHREALTIME - $began }")
  case $code in
    0) by=$(sed -n '/^VIOLATION/{n;s/^ *//;s/^n[0-9]* //;s/[:,;].*//;s/ [0-9].*//;p;q}' "$log"); seeds=$(sed -n 's/^caught after \([0-9]*\) .*/\1/p' "$log") ;;
    1) by="nothing: it survives"; seeds=$budget ;;
    134) by="the core's own assertion"; seeds="?" ;;
    *) cat "$log" >&2; echo "$name: the simulator ended with $code" >&2; exit 2 ;;
  esac
  printf '%-34s %7s %7s  %-36s %s\n' "$name" "$seeds" "$seconds" "$by" "$rule"
  reason=$(field survives "$name")
  if [ -n "$reason" ]; then printf '%34s survives: %s\n' "" "$reason"; fi
  if [ $code = 1 ] && [ -z "$reason" ]; then surprises=$((surprises + 1)); fi
  if [ $code != 1 ] && [ -n "$reason" ]; then
    surprises=$((surprises + 1))
    echo "$name was caught, so the reason that its patch gives is wrong:" >&2
    cat "$log" >&2
  fi
done
[ $surprises = 0 ] || { echo "$surprises not as expected" >&2; exit 1; }
