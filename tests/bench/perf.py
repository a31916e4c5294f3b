#!/usr/bin/env python3
"""Counts the instructions of each piece of perf_work, and compares them with those in perf.txt.

perf.py PROGRAM [--accept] [--only WORDS]: exit 1 if a piece has grown by more than 10 %, unless the machine's compiler or
libraries are others than those that perf.txt was made with."""

import argparse
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys

FIGURES = pathlib.Path(__file__).resolve().parent / "perf.txt"
ALLOWED = 1.10
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
    ran = subprocess.run(["valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null", program,
                          name, str(runs)], capture_output=True, text=True)
    count = re.search(r"I\s+refs:\s+([\d,]+)", ran.stderr)
    if ran.returncode != 0 or not count:
        sys.exit(f"perf: '{name}' failed:\n{ran.stdout}{ran.stderr}")
    return int(count[1].replace(",", ""))


def measure(program, chosen):
    """Instructions an operation: the difference between many runs and one, so that preparing drops out."""
    with concurrent.futures.ThreadPoolExecutor(int(os.environ.get("JOBS", os.cpu_count()))) as pool:
        counts = [(pool.submit(instructions, program, name, 1), pool.submit(instructions, program, name, 1 + int(runs)))
                  for name, _, runs, _ in chosen]
        return {name: round((many.result() - one.result()) / (int(operations) * int(runs)))
                for (name, operations, runs, _), (one, many) in zip(chosen, counts)}


def read_figures():
    """Of an absent file: nothing."""
    lines = FIGURES.read_text().splitlines() if FIGURES.exists() else []
    made_with = [line[2:] for line in lines if line.startswith("# ")]
    figures = dict(reversed(re.fullmatch(r"\s*(\d+)  an? \w+  (.*)", line).groups())
                   for line in lines if not line.startswith("#"))
    return made_with, {name: int(count) for name, count in figures.items()}


def article(unit):
    return f"an {unit}" if unit[0] in "aeiou" else f"a {unit}"


def write_figures(chosen, now):
    lines = [f"# {line}" for line in surroundings()]
    lines += [f"{now[name]:>9}  {article(unit)}  {name}" for name, _, _, unit in chosen]
    FIGURES.write_text("\n".join(lines) + "\n")


def report(chosen, before, now):
    """The names of those that have grown, and of those without a figure or with a figure and no work."""
    grown, unknown = [], sorted(set(before) - {name for name, *_ in chosen})
    print(f"{'before':>9}  {'now':>9}  ratio")
    for name, _, _, unit in chosen:
        if name not in before:
            unknown.append(name)
            print(f"{'-':>9}  {now[name]:>9}      -  {article(unit)}: {name}")
            continue
        ratio = now[name] / before[name]
        mark = "  <-- grown" if ratio > ALLOWED else ""
        print(f"{before[name]:>9}  {now[name]:>9}  {ratio:5.3f}  {article(unit)}: {name}{mark}")
        if mark:
            grown.append(name)
    return grown, unknown


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
    grown, unknown = report(chosen, before, now)
    if options.accept:
        write_figures(chosen, now)
        print("written to tests/bench/perf.txt: commit it, with a message that says why they changed")
        return 0
    others = [line for line in surroundings() if line not in made_with]
    if made_with and others:
        print(f"not judged: tests/bench/perf.txt was made with others than these: {'; '.join(others)}")
        return 0
    for name in unknown:
        print(f"perf: '{name}' is in perf_work or in tests/bench/perf.txt, but not in both", file=sys.stderr)
    for name in grown:
        print(f"perf: '{name}' takes {now[name] / before[name]:.2f} times the instructions that it took", file=sys.stderr)
    if grown or unknown:
        print("perf: if that is meant: ./dev perf --accept, and commit tests/bench/perf.txt with a message that says why",
              file=sys.stderr)
        return 1
    return 0


sys.exit(main())
