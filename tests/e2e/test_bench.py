"""zell bench: what it says adds up, and it leaves nothing behind. How fast anything is, is nobody's business here."""

import csv
import io
import json
import os
import signal
import unittest

from harness import PATIENCE, Case, wait_for


class Bench(Case):
    def requests_add_up(self, document):
        requests = document["requests"]
        self.assertEqual(requests["offered"],
                         requests["finalised"] + requests["refused"] + requests["failed"] + requests["unknown"])
        self.assertEqual(requests["failed"], 0)
        self.assertGreater(requests["finalised"], 0)
        self.assertEqual(sum(second["requests"] for second in document["seconds"]),
                         round(document["throughput"]["requests_per_s"] * document["config"]["duration_s"]))
        self.assertEqual(sum(bucket[2] for bucket in document["latency_us"]["histogram"]["counts"]),
                         document["latency_us"]["count"])
        return requests

    def finalised(self):
        status = self.zell("status", "--json")
        return max(node["finalised"] or 0 for node in status.json()["nodes"]) if status.code == 0 else 0

    def nothing_is_left(self):
        self.assertTrue(wait_for(lambda: self.pids_of_home() == [], 30), self.pids_of_home())
        self.assertEqual(self.zell("cluster", "ls", "--json").json()["clusters"], [])
        left = [os.path.join(folder, name) for folder, _, names in os.walk(self.env["TMPDIR"]) for name in names]
        self.assertEqual(left, [])

    def test_the_log_holds_exactly_what_was_finalised(self):
        self.up()
        before = self.finalised()
        answer = self.good("bench", "--rate", "300", "--warmup", "500ms", "--duration", "1s", "--bundle", "3", "--size",
                           "10", "--json")
        document = answer.json()
        requests = self.requests_add_up(document)
        self.assertEqual(requests["offered"], 450)
        self.assertEqual(requests["unknown"], 0)
        self.assertEqual(document["config"]["rate"], 300)
        self.assertFalse(document["config"]["ephemeral"])
        self.assertEqual(document["latency_us"]["count"], 300)
        log = [json.loads(line) for line in self.good("log", "--app", "bench", "--json").lines()]
        self.assertEqual(len(log), requests["finalised"])
        self.assertEqual({len(entry["payloads"]) for entry in log}, {3})
        self.assertEqual((log[0]["index"], log[-1]["index"]),
                         (document["log"]["first_index"], document["log"]["last_index"]))
        self.assertGreater(document["log"]["first_index"], before)
        # The same again: its nonces don't meet those of the first.
        again = self.good("bench", "--in-flight", "64", "--warmup", "0s", "--duration", "1s", "--to", "n2", "--json").json()
        requests = self.requests_add_up(again)
        self.assertEqual((again["config"]["rate"], again["config"]["asked"]), (None, ["n2"]))
        self.assertEqual(len(self.good("log", "--app", "bench", "--json").lines()), 450 + requests["finalised"])
        names = [node["name"] for node in again["nodes"]]
        self.assertEqual(names, ["n1", "n2", "n3", "n4"])
        for node in again["nodes"]:
            self.assertGreater(node["cpu_s"], 0)
            self.assertGreater(node["rss_bytes_max"], 1 << 20)
            self.assertGreater(node["fds_end"], 3)

    def test_a_cluster_of_its_own_is_gone_afterwards_and_files_are_written(self):
        answer = self.good("bench", "-n", "1", "--duration", "2s", "--warmup", "0s", "--in-flight", "16", "--csv", "seconds.csv",
                           "--hdr", "latency.hgrm", "--html", "page.html", "--assert", "failed=0,unknown=0,p50>0us")
        self.assertIn("requests/s", answer.out)
        self.assertIn("✓ failed=0", answer.out)
        self.nothing_is_left()
        with open(f"{self.home}/seconds.csv") as file:
            rows = list(csv.DictReader(file))
        self.assertEqual([row["second"] for row in rows], ["0", "1"])
        self.assertGreater(sum(int(row["requests"]) for row in rows), 0)
        with open(f"{self.home}/latency.hgrm") as file:
            self.assertIn("Percentile", file.readline() + file.readline())
        with open(f"{self.home}/page.html") as file:
            self.assertIn("</html>", file.read())
        out = self.good("bench", "-n", "1", "--duration", "1s", "--warmup", "0s", "--rate", "50", "--csv", "-").out
        self.assertEqual(len(list(csv.DictReader(io.StringIO(out)))), 1)

    def test_limits_of_the_machine_are_measured_in_the_same_run(self):
        document = self.good("bench", "-n", "1", "--duration", "1s", "--warmup", "0s", "--rate", "50", "--limits",
                             "--json").json()
        self.requests_add_up(document)
        self.assertEqual(document["limits"]["kind"], "limits")
        self.assertGreater(len(document["goals"]), 1)
        self.nothing_is_left()

    def test_what_does_not_hold_is_exit_code_1_and_a_bad_expression_2(self):
        self.up("-n", "1")
        short = ("bench", "--duration", "500ms", "--warmup", "0s", "--rate", "50")
        answer = self.bad(1, *short, "--assert", "failed=0,p50<0.001us,rate>1")
        self.assertRegex(answer.out, r"✗ p50<0\.001us  it is [0-9.]+ us")
        self.assertRegex(answer.out, r"✓ failed=0  it is 0\n")
        answer = self.bad(1, *short, "--assert", "p50<0.001us", "--json")
        self.assertEqual([one["holds"] for one in answer.json()["asserted"]], [False])
        self.assertIn("does not hold: p50<0.001us", answer.err)
        self.assertIn("did you mean p90?", self.bad(2, *short, "--assert", "p95<1s").err)
        self.assertIn("lacks a unit", self.bad(2, *short, "--assert", "p50<1").err)

    def test_mistakes(self):
        self.bad(2, "bench", "--rate", "5", "--in-flight", "5", "-n", "1")
        self.bad(2, "bench", "-n", "1", "--cluster", "dev")
        self.bad(2, "bench", "-n", "1", "--bundle", "4000", "--size", "1000")
        self.bad(2, "bench", "-n", "1", "--clients", "1", "--in-flight", "2000")
        self.bad(2, "bench", "-n", "1", "--json", "--csv", "-")
        self.bad(3, "bench", "--cluster", "nowhere")
        self.nothing_is_left()

    def test_ctrl_c_leaves_nothing_behind(self):
        process = self.start("bench", "-n", "2", "--duration", "600s", "--rate", "100")
        self.assertTrue(wait_for(lambda: self.zell("cluster", "ls", "--json").json()["clusters"] != []))
        self.assertTrue(wait_for(lambda: self.finalised() > 50))
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=PATIENCE)
        self.assertEqual(process.returncode, 130)
        self.assertIn("interrupted", err)
        self.nothing_is_left()

    def test_a_bench_that_is_killed_leaves_nothing_behind(self):
        process = self.start("bench", "-n", "2", "--duration", "600s", "--rate", "100")
        self.assertTrue(wait_for(lambda: len(self.zell("cluster", "ls", "--json").json()["clusters"]) == 1))
        self.assertTrue(wait_for(lambda: self.zell("status", "--json").code == 0))
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=PATIENCE)
        self.nothing_is_left()


if __name__ == "__main__":
    unittest.main()
