#!/usr/bin/env bash
# demo.sh ZELL: four nodes order signed requests, lose their leader to SIGKILL, and lose nothing. Everything lives in a scratch
# folder that is removed at the end; nothing of yours is touched.
set -euo pipefail
zell=$(readlink -f "${1:?usage: demo.sh path/to/zell}")
scratch=$(mktemp -d /tmp/zell-demo.XXXXXX)
export XDG_STATE_HOME=$scratch/state XDG_DATA_HOME=$scratch/data XDG_CONFIG_HOME=$scratch/config XDG_RUNTIME_DIR=$scratch/run
mkdir -p -m 700 "$XDG_RUNTIME_DIR"
finish() {
  "$zell" down >/dev/null 2>&1 || true  # a second time does no harm
  rm -rf "$scratch"
}
trap finish EXIT

run() { # shows a command as a person would type it, then runs it
  printf '\n\033[1m$ zell %s\033[0m\n' "$*"
  "$zell" "$@"
}

run up --base-port "${ZELL_DEMO_PORT:-7300}"
run submit hello
printf '\n\033[1m$ seq -f "payment %%g" 1 20 | zell submit --lines -\033[0m\n'
seq -f "payment %g" 1 20 | "$zell" submit --lines -
run log --tail 5

run node kill leader
printf '\n\033[1m$ seq -f "payment %%g" 21 40 | zell submit --lines -\033[0m\n'
seq -f "payment %g" 21 40 | "$zell" submit --lines -
run status || true  # one node is down: status says so, and exits 1
run node start n1
run cluster wait
run log --tail 5
run verify
run status
run down
