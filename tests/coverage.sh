#!/usr/bin/env bash
# coverage.sh BUILD: what the last run of the tests in BUILD reached of node/consensus, by file; and the branches that it
# did not. A branch is a condition that was never true, or never false, wherever it was looked at at all; ZELL_CHECKs are
# left out, because theirs must never be false. Fails if COVERAGE.md does not explain one of them, or explains another.
set -euo pipefail
build=$(readlink -f "$1")
cd "$(dirname "$0")/.."
llvm-profdata-19 merge -sparse "$build"/profiles/*.profraw -o "$build/coverage.profdata"
# Each binary has all of node/consensus, and the profile is of all of them.
llvm-cov-19 export -instr-profile "$build/coverage.profdata" "$build/tests/unit_consensus" node/consensus >"$build/coverage.json"
python3 - "$build/coverage.json" tests/COVERAGE.md <<'PY'
import collections
import json
import os
import re
import sys

data = json.load(open(sys.argv[1]))["data"][0]


def text(source, first, start, last, end):  # what stands there, on one line
    lines = source[first - 1:last]
    lines[-1] = lines[-1][:end - 1]
    lines[0] = lines[0][start - 1:]
    return " ".join(" ".join(lines).split())


rows, missed = [], collections.Counter()
for file in sorted(data["files"], key=lambda file: file["filename"]):
    name = os.path.relpath(file["filename"], "node/consensus")
    source = open(file["filename"]).read().splitlines()
    branches = collections.defaultdict(lambda: [0, 0])
    for *place, true, false in (b[:6] for b in file["branches"]):  # a header's come once for each file that includes it
        if "ZELL_CHECK(" in source[place[0] - 1]: continue
        counts = branches[tuple(place)]
        counts[0] += true
        counts[1] += false
    for place, counts in branches.items():
        if not any(counts) or all(counts): continue
        missed[name, text(source, *place), "never " + ("false" if counts[0] else "true")] += 1
    lines = file["summary"]["lines"]
    rows.append((name, lines["count"], lines["covered"], 2 * len(branches), sum(bool(n) for c in branches.values() for n in c)))
rows.append(("total", *(sum(row[i] for row in rows) for i in range(1, 5))))
share = lambda part, whole: f"{part:5} / {whole:5} {100 * part / whole if whole else 100:6.1f} %"
print(f"{'file':<24} {'lines':>22} {'branches':>22}")
for name, lines, run, branches, taken in rows:
    print(f"{name:<24} {share(run, lines):>22} {share(taken, branches):>22}")

page = open(sys.argv[2]).read().replace("\\|", "|")  # as a table needs it in its cells
explained = collections.Counter(re.findall(r"^\| (\S+) \| `(.*?)` (never \w+) \|", page, re.M))
for why, what in (("not reached, and not explained", missed - explained), ("explained, but reached or gone", explained - missed)):
    if what: print(f"\n{why}:", *(f"| {name} | `{text}` {never} | x{n}" for (name, text, never), n in sorted(what.items())), sep="\n")
sys.exit(missed != explained)
PY
