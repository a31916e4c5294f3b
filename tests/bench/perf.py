#!/usr/bin/env python3
"""Counts the instructions of each piece of perf_work, and compares them with those in perf.txt.

perf.py PROGRAM [--accept] [--only WORDS]: exit 1 if a piece has grown by more than 10 %, unless the machine's compiler or
libraries are others than those that perf.txt was made with."""

import argparse
import collections
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys
import tempfile

FIGURES = pathlib.Path(__file__).resolve().parent / "perf.txt"
ALLOWED = 1.10
# Where hashes and signatures are computed. They are most of many a piece, and would hide that our own code grows.
CRYPTO = re.compile(r"/(libcrypto|libcrypto\+\+|libsecp256k1)\.so")
Counts = collections.namedtuple("Counts", ["all", "own"])
# What the figures depend on beside our own code.
PACKAGES = ["g++-12", "libstdc++6", "libc6", "libssl3", "libcrypto++8", "libsecp256k1-1", "libsqlite3-0",
            "nlohmann-json3-dev", "valgrind"]


def surroundings():
    listed = subprocess.run(["dpkg-query", "-W", "-f=${Package} ${Version}\n", *PACKAGES], capture_output=True, text=True)
    found = dict(line.split() for line in listed.stdout.splitlines())
    # libc and OpenSSL choose their code by what valgrind lets through of the processor.
    flags = set(re.search(r"^flags\s*: (.*)$", pathlib.Path("/proc/cpuinfo").read_text(), re.M)[1].split())
    found["processor"] = " ".join(sorted(flags & {"avx", "avx2", "bmi1", "bmi2", "aes", "rdrand", "adx"}))
    return [f"{name} {found.get(name, '-')}" for name in [*PACKAGES, "processor"]]


def pieces(program):
    out = subprocess.run([program], check=True, capture_output=True, text=True).stdout
    return [line.split("\t") for line in out.splitlines()]


def instructions(program, name, runs):
    with tempfile.NamedTemporaryFile(prefix="zell-perf-") as out:
        ran = subprocess.run(["valgrind", "--tool=callgrind", f"--callgrind-out-file={out.name}", "--compress-strings=no",
                              "--compress-pos=no", program, name, str(runs)], capture_output=True, text=True)
        if ran.returncode != 0:
            sys.exit(f"perf: '{name}' failed:\n{ran.stdout}{ran.stderr}")
        return Counts(*sum_up(pathlib.Path(out.name).read_text()))


def sum_up(profile):
    """All instructions, and those outside the libraries of CRYPTO. A cost line is "LINE COUNT"; the one after a call is
    what was called, which is counted where it was spent."""
    of_object = collections.Counter()
    current, after_call = None, False
    for line in profile.splitlines():
        if line.startswith("ob="):
            current = line[3:]
        elif line.startswith("calls="):
            after_call = True
        elif line[:1].isdigit():
            if not after_call:
                of_object[current] += int(line.split()[1])
            after_call = False
    total = sum(of_object.values())
    if total != int(re.search(r"^totals: (\d+)$", profile, re.M)[1]):
        sys.exit("perf: callgrind's profile does not add up")
    return total, sum(count for name, count in of_object.items() if not CRYPTO.search(name))


def measure(program, chosen):
    """Instructions an operation: the difference between many runs and one, so that preparing drops out."""
    with concurrent.futures.ThreadPoolExecutor(int(os.environ.get("JOBS", os.cpu_count()))) as pool:
        counts = [(pool.submit(instructions, program, name, 1), pool.submit(instructions, program, name, 1 + int(runs)))
                  for name, _, runs, _ in chosen]
        return {name: Counts(*(round((more - one) / (int(operations) * int(runs)))
                               for more, one in zip(many.result(), single.result())))
                for (name, operations, runs, _), (single, many) in zip(chosen, counts)}


def read_figures():
    """Of an absent file: nothing."""
    lines = FIGURES.read_text().splitlines() if FIGURES.exists() else []
    figures = [re.fullmatch(r" *(\d+) +(\d+)  an? \w+: (.*)", line) for line in lines if not line.startswith("#")]
    return ([line[2:] for line in lines if line.startswith("# ")],
            {line[3]: Counts(int(line[1]), int(line[2])) for line in figures})


def label(name, unit):
    return f"{'an' if unit[0] in 'aeiou' else 'a'} {unit}: {name}"


def write_figures(chosen, now):
    lines = [f"# {line}" for line in surroundings()]
    lines += [f"{now[name].all:>9} {now[name].own:>9}  {label(name, unit)}" for name, _, _, unit in chosen]
    FIGURES.write_text("\n".join(lines) + "\n")


def report(chosen, before, now):
    """What is wrong, a line each."""
    wrong = [f"'{name}' has a figure in perf.txt, and is no piece of perf_work"
             for name in before if name not in {piece[0] for piece in chosen}]
    print(f"{'all instructions':^26}   {'without hashes, signatures':^26}")
    print("   before       now  ratio" * 2)
    for name, _, _, unit in chosen:
        if name not in before:
            print(f"        - {now[name].all:>9}      -           - {now[name].own:>9}      -  {label(name, unit)}")
            wrong.append(f"'{name}' has no figure in perf.txt")
            continue
        ratios = [(old, new, new / max(old, 1)) for old, new in zip(before[name], now[name])]
        grown = [ratio for *_, ratio in ratios if ratio > ALLOWED]
        print("  ".join(f"{old:>9} {new:>9}  {ratio:5.3f}" for old, new, ratio in ratios) + f"  {label(name, unit)}"
              + ("  <-- grown" if grown else ""))
        if grown:
            wrong.append(f"'{name}' takes {max(grown):.2f} times the instructions that it took")
    return wrong


def main():
    parser = argparse.ArgumentParser(prog="./dev perf")
    parser.add_argument("program")
    parser.add_argument("--accept", action="store_true", help="these are the figures from now on")
    parser.add_argument("--only", help="pieces whose name contains this")
    options = parser.parse_args()
    if options.accept and options.only:
        parser.error("--accept takes all figures, so not with --only")

    chosen = [piece for piece in pieces(options.program) if not options.only or options.only in piece[0]]
    if not chosen:
        parser.error(f"no piece's name contains '{options.only}'")
    made_with, before = read_figures()
    if options.only:
        before = {name: count for name, count in before.items() if options.only in name}
    now = measure(options.program, chosen)
    wrong = report(chosen, before, now)
    if options.accept:
        write_figures(chosen, now)
        print("written to tests/bench/perf.txt: commit it, with a message that says why they changed")
        return 0
    others = [line for line in surroundings() if line not in made_with]
    if made_with and others:
        print(f"not judged: tests/bench/perf.txt was made with others than these: {'; '.join(others)}")
        return 0
    for line in wrong:
        print(f"perf: {line}", file=sys.stderr)
    if wrong:
        print("perf: if that is meant: ./dev perf --accept, and commit tests/bench/perf.txt with a message that says why",
              file=sys.stderr)
    return 1 if wrong else 0


sys.exit(main())
