#!/usr/bin/env bash
# coverage.sh BUILD: what the last run of the tests in BUILD reached of node/consensus, by file, and the branches that it
# did not. Branches that only the compiler made (for exceptions, and into code that cannot run) are left out, and so is
# the arm of a ZELL_CHECK that aborts.
set -euo pipefail
build=$1
cd "$(dirname "$0")/.."
gcovr -r . --filter 'node/consensus/' --exclude-throw-branches --exclude-unreachable-branches \
  --exclude-branches-by-pattern '.*ZELL_CHECK\(.*' --json "$build/coverage.json" "$build/node"
python3 - "$build/coverage.json" <<'PY'
import json
import sys

files = sorted(json.load(open(sys.argv[1]))["files"], key=lambda file: file["file"])
rows, missed = [], []
for file in files:
    source = open(file["file"]).read().splitlines()
    lines = [line for line in file["lines"] if not line.get("gcovr/noncode")]
    branches = [(line["line_number"], branch) for line in lines for branch in line["branches"]]
    rows.append((file["file"], len(lines), sum(line["count"] > 0 for line in lines), len(branches),
                 sum(branch["count"] > 0 for _, branch in branches)))
    for line in lines:
        dead = sum(branch["count"] == 0 for branch in line["branches"])
        if dead or line["count"] == 0:
            what = f"{dead} of {len(line['branches'])} branches" if line["count"] else "never run"
            missed.append(f"{file['file']}:{line['line_number']}: {what}: {source[line['line_number'] - 1].strip()}")
rows.append(("total", *(sum(row[i] for row in rows) for i in range(1, 5))))
share = lambda part, whole: f"{part:5} / {whole:5} {100 * part / whole if whole else 100:6.1f} %"
print(f"{'file':<36} {'lines':>22} {'branches':>22}")
for name, lines, run, branches, taken in rows:
    print(f"{name:<36} {share(run, lines):>22} {share(taken, branches):>22}")
print("\nnot reached:", *missed, sep="\n")
PY
