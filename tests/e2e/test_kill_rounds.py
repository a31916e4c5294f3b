"""Rounds of: a stream of 50 requests a second, SIGKILL of a random node (the leader half the time) at a random moment, restart.

After each round all logs agree and every request that was reported finalised is in the log, once, where it was said to be.
ZELL_ROUNDS sets how many rounds (5), ZELL_SEED which; the times without service are printed as a distribution.
"""

import json
import os
import random
import signal
import subprocess
import threading
import time
import unittest

import harness

ROUNDS = int(os.environ.get("ZELL_ROUNDS", "5"))
SEED = int(os.environ.get("ZELL_SEED", str(random.randrange(1 << 31))))
RATE = 50  # requests a second


class Stream:
    """Submits a line every 20 ms through one `zell submit --lines -`, and notes when each is reported."""

    def __init__(self, case):
        self.process = subprocess.Popen([harness.ZELL, "submit", "--lines", "-", "--json", "--timeout", "60s"], env=case.env,
                                        cwd=case.home, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True)
        case.started.append(self.process)
        self.lock = threading.Lock()
        self.final = {}   # id -> index
        self.other = []   # anything reported that was not finalised
        self.times = []   # when something was reported final
        self.stop = threading.Event()
        self.sent = 0
        self.threads = [threading.Thread(target=self.feed), threading.Thread(target=self.read)]
        for thread in self.threads:
            thread.start()

    def feed(self):
        began = time.monotonic()
        while not self.stop.wait(max(0, began + self.sent / RATE - time.monotonic())):
            self.process.stdin.write(f"payment {self.sent}\n")
            self.process.stdin.flush()
            self.sent += 1
        self.process.stdin.close()
        self.process.stdin = None  # communicate() must not flush it again

    def read(self):
        for line in self.process.stdout:
            report = json.loads(line)
            if "id" not in report:
                continue  # the summary
            with self.lock:
                if report.get("state") == "finalised":
                    self.final[report["id"]] = report["index"]
                    self.times.append(time.monotonic())
                else:
                    self.other.append(report)

    def gap_between(self, start, end):
        """The longest time without a report that overlaps start..end."""
        with self.lock:
            times = [t for t in self.times if t > start - 5] + [end]
        return max((b - a for a, b in zip(times, times[1:]) if b > start), default=0)

    def finish(self):
        self.stop.set()
        for thread in self.threads:
            thread.join(120)
        return self.process.wait(120)


class KillRounds(harness.Case):
    def test_rounds(self):
        print(f"{ROUNDS} rounds, ZELL_SEED={SEED}", flush=True)
        chance = random.Random(SEED)
        self.up()
        stream = Stream(self)
        gaps = {"leader": [], "follower": []}
        log = {}
        for number in range(ROUNDS):
            time.sleep(chance.uniform(0.1, 0.6))  # the random moment
            nodes = self.zell("status", "--json").json()["nodes"]
            leader = next(node for node in nodes if node["role"] == "leader")
            victim = leader if chance.random() < 0.5 else chance.choice([n for n in nodes if n is not leader])
            killed = time.monotonic()
            os.kill(victim["pid"], signal.SIGKILL)
            # Service is back when something submitted after the kill is final.
            self.good("submit", "after the kill")
            time.sleep(chance.uniform(0.0, 0.4))
            self.good("node", "start", victim["name"])
            gaps["leader" if victim is leader else "follower"].append(stream.gap_between(killed, time.monotonic()))
            self.good("verify")
            self.check_log(log, stream)
            if (number + 1) % 20 == 0:
                print(f"{number + 1} rounds, {len(stream.final)} final", flush=True)
        self.assertEqual(stream.finish(), 0, stream.process.stderr.read())
        self.good("verify")
        self.check_log(log, stream)
        self.assertEqual(stream.other, [])
        self.assertEqual(len(stream.final), stream.sent)
        print(f"{ROUNDS} rounds held: {stream.sent} requests of the stream, each reported final and in the log once")
        for who, values in gaps.items():
            self.show(who, values)

    def check_log(self, log, stream):
        """Reads what is new in the log, and looks up everything that was reported by now."""
        with stream.lock:
            reported = dict(stream.final)
        answer = self.good("log", "--json", "--from", str(len(log) + 1))
        for line in answer.lines():
            entry = json.loads(line)
            if "index" in entry:
                self.assertEqual(entry["index"], len(log) + 1)
                log[entry["index"]] = entry["id"]
        self.assertEqual(len(set(log.values())), len(log), "a request is in the log twice")
        for request, index in reported.items():
            self.assertEqual(log.get(index), request, f"request {request} was reported final at #{index}")

    @staticmethod
    def show(who, values):
        if not values:
            return
        values = sorted(values)
        at = lambda q: values[min(len(values) - 1, int(q * len(values)))]
        print(f"time without service, {who} killed, {len(values)} rounds: p50 {at(.5) * 1000:.0f} ms, p90 {at(.9) * 1000:.0f} ms, "
              f"p99 {at(.99) * 1000:.0f} ms, max {values[-1] * 1000:.0f} ms")


if __name__ == "__main__":
    unittest.main()
