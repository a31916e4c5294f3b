#!/usr/bin/env python3
"""A long run: steady load, a change of leader each minute, and then a restart and a wiped node.

    soak.py [--minutes 30] [--rate 4000] [--bundle 1] [--zell build/zell] [--json]

Fails (exit 1) when memory or descriptors of a node grow over the second half of the run, when a request that was taken in does
not become final, when nodes disagree, or when a restart takes longer than 2 s. Uses a home of its own and removes it.
Every figure is printed; what is judged says so.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
SAMPLE_S = 5
# Of the median of the last quarter over that of the second. Clients open connections as latency varies.
RSS_GROWTH, FDS_GROWTH = 1.10, 1.50


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--rate", type=int, default=4000)
    parser.add_argument("--bundle", type=int, default=1)
    parser.add_argument("--nodes", type=int, default=4)
    parser.add_argument("--zell", default=os.path.join(HERE, "..", "..", "build", "zell"))
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


class Cluster:
    def __init__(self, zell, nodes):
        self.zell = os.path.abspath(zell)
        self.home = tempfile.mkdtemp(prefix="zell-soak-")
        self.env = dict(os.environ, HOME=self.home, XDG_STATE_HOME=f"{self.home}/state", XDG_RUNTIME_DIR=f"{self.home}/run",
                        XDG_DATA_HOME=f"{self.home}/data", XDG_CONFIG_HOME=f"{self.home}/config", TMPDIR=self.home)
        os.mkdir(f"{self.home}/run", 0o700)
        self.good("up", "-n", str(nodes))

    def run(self, *words):
        return subprocess.run([self.zell, *words], env=self.env, text=True, capture_output=True)

    def good(self, *words):
        done = self.run(*words)
        if done.returncode != 0:
            raise SystemExit(f"soak: zell {' '.join(words)}: exit {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    def status(self):
        return json.loads(self.good("status", "--json"))

    def close(self):
        self.run("down")
        shutil.rmtree(self.home, ignore_errors=True)


def sample(pids):
    out = {}
    for name, pid in pids.items():
        with open(f"/proc/{pid}/status") as lines:
            rss = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS"))
        out[name] = {"rss": rss, "fds": len(os.listdir(f"/proc/{pid}/fd"))}
    return out


def load(cluster, options):
    """The bench, and beside it a challenge each minute; samples of each node's memory and descriptors."""
    pids = {node["name"]: node["pid"] for node in cluster.status()["nodes"]}
    seconds = int(options.minutes * 60)
    bench = subprocess.Popen([cluster.zell, "bench", "--rate", str(options.rate), "--bundle", str(options.bundle), "--retry",
                              "--duration", f"{seconds}s", "--warmup", "2s", "--sign", "inline", "--json"],
                             env=cluster.env, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    samples, challenges, began = [], 0, time.monotonic()
    try:
        out = None
        while out is None:
            samples.append(sample(pids))
            if time.monotonic() - began > 60 * (challenges + 1) and time.monotonic() - began < seconds - 30:
                cluster.good("challenge", "--by", "f+1")
                challenges += 1
            try:
                out, err = bench.communicate(timeout=SAMPLE_S)
            except subprocess.TimeoutExpired:
                pass  # it is still at work: time for the next sample
    finally:
        if bench.poll() is None:
            bench.terminate()
            bench.wait()
    if bench.returncode != 0:
        raise SystemExit(f"soak: zell bench: exit {bench.returncode}\n{err}")
    return json.loads(out), samples, challenges


def growth(samples, name, what):
    """The last quarter over the second: the first is start-up."""
    series = [one[name][what] for one in samples]
    quarter = max(len(series) // 4, 1)
    return statistics.median(series[-quarter:]) / statistics.median(series[quarter:2 * quarter] or series)


def main():
    options = arguments()
    cluster = Cluster(options.zell, options.nodes)
    failures, report = [], {}
    try:
        result, samples, challenges = load(cluster, options)
        requests, latency = result["requests"], result["latency_us"]
        report = {"minutes": options.minutes, "rate": options.rate, "bundle": options.bundle, "challenges": challenges,
                  "requests": requests, "requests_per_s": result["throughput"]["requests_per_s"],
                  "p50_ms": latency["p50"] / 1000, "p99_ms": latency["p99"] / 1000, "max_ms": latency["max"] / 1000,
                  "view": result["log"]["view_after"], "nodes": {}}
        for name in samples[0]:
            rss, fds = growth(samples, name, "rss"), growth(samples, name, "fds")
            node = next(n for n in result["nodes"] if n["name"] == name)
            report["nodes"][name] = {"rss_max": max(s[name]["rss"] for s in samples), "rss_growth": round(rss, 3),
                                     "fds_growth": round(fds, 3), "disk_over_payload": node["disk_over_payload"]}
            if rss > RSS_GROWTH:
                failures.append(f"{name}'s memory grew by {rss:.2f} in the second half")
            if fds > FDS_GROWTH:
                failures.append(f"{name}'s descriptors grew by {fds:.2f} in the second half")
        if requests["failed"] or requests["unknown"]:
            failures.append(f"{requests['failed']} requests failed, {requests['unknown']} have no known outcome")
        if cluster.run("verify").returncode != 0:
            failures.append("zell verify: " + cluster.run("verify").stderr)
        report["entries"] = max(node["finalised"] for node in cluster.status()["nodes"])

        began = time.monotonic()
        cluster.good("node", "restart", "n2")
        report["restart_s"] = round(time.monotonic() - began, 2)
        if report["restart_s"] > 2:
            failures.append(f"a restart took {report['restart_s']} s")

        cluster.good("node", "kill", "n3")
        data = os.path.join(cluster.status()["folder"], "n3", "data")
        size = sum(entry.stat().st_size for entry in os.scandir(data))
        shutil.rmtree(data)
        began = time.monotonic()
        cluster.good("node", "start", "n3", "--no-wait")
        while next(n for n in cluster.status()["nodes"] if n["name"] == "n3").get("finalised", 0) < report["entries"]:
            time.sleep(0.05)  # a node that follows announces itself to nobody
        took = time.monotonic() - began
        report["caught_up_s"], report["caught_up_bytes_per_s"] = round(took, 2), round(size / took)
    finally:
        cluster.close()
    report["failures"] = failures
    print(json.dumps(report) if options.json else json.dumps(report, indent=1))
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
