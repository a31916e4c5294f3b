"""What zell does with results of a bench, and what it measures without a cluster."""

import json
import os
import signal
import subprocess
import unittest

from harness import PATIENCE, ZELL, Case, wait_for
from sample_results import sample_result


class Tools(Case):
    def write(self, name, document):
        path = f"{self.home}/{name}"
        with open(path, "w") as file:
            file.write(document if isinstance(document, str) else json.dumps(document))
        return path


class Limits(Tools):
    def test_limits_are_measured_and_judge_a_result(self):
        limits = self.good("bench", "limits", "--rounds", "1", "--json").json()
        self.assertEqual((limits["schema"], limits["kind"]), (1, "limits"))
        names = {entry["name"]: entry for entry in limits["measured"]}
        for name in ("ecdsa-verify", "ecdsa-verify-plain", "fdatasync-p50", "sqlite-rows-100", "loopback-round-trip"):
            self.assertGreater(names[name]["value"], 0, name)
        state = f"{self.env['XDG_STATE_HOME']}/zell"
        self.assertEqual(os.listdir(state), [])

        kept = self.write("limits.json", limits)
        result = self.write("result.json", sample_result())
        answer = self.good("bench", "limits", "--from", kept, "--with", result, "--json").json()
        self.assertEqual(answer["measured"], limits["measured"])
        goals = {goal["name"]: goal for goal in answer["results"][0]["goals"]}
        ceiling = limits["cores"] * 1e6 / (4 * names["ecdsa-verify"]["value"])
        rate = sample_result()["throughput"]["requests_per_s"]
        over = goals["single-signature requests/s over the ceiling"]
        self.assertAlmostEqual(over["value"], rate / ceiling)
        self.assertEqual(over["met"], rate / ceiling >= 0.8)
        self.assertIn(goals["what binds"]["value"], ("cpu", "disk", "latency"))
        text = self.good("bench", "limits", "--from", kept, "--with", result)
        self.assertIn("single-signature requests/s over the ceiling", text.out)

    def test_what_is_no_result_is_refused_before_anything_is_measured(self):
        for name, document, code in (("empty.json", "", 2), ("broken.json", "{", 2), ("other.json", {"schema": 1, "kind": "limits"}, 2),
                                     ("newer.json", {"schema": 2, "kind": "bench"}, 2), ("list.json", [], 2)):
            answer = self.zell("bench", "limits", "--with", self.write(name, document))
            self.assertEqual(answer.code, code, answer)
            self.assertIn(name, answer.err)
        self.assertEqual(self.zell("bench", "limits", "--with", f"{self.home}/missing.json").code, 3)

    def test_an_option_of_the_bench_itself_is_refused(self):
        answer = self.zell("bench", "limits", "--rate", "5")
        self.assertEqual(answer.code, 2, answer)
        self.assertIn("--rate is an option of zell bench, not of zell bench limits", answer.err)

    def test_interrupted_it_leaves_nothing_behind(self):
        process = subprocess.Popen([ZELL, "bench", "limits", "--rounds", "100"], env=self.env, cwd=self.home,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.started.append(process)
        state = f"{self.env['XDG_STATE_HOME']}/zell"
        # The signals are held before the first step, and the first file is of a later one.
        self.assertTrue(wait_for(lambda: any(files for _, _, files in os.walk(state))))
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=PATIENCE)
        self.assertEqual(process.returncode, 130, err)
        self.assertEqual(os.listdir(state), [])


class Compare(Tools):
    def runs(self, name, factor, count=5, **more):
        runs = [sample_result(seed, requests_per_s=5000 * factor, p50_us=8000 / factor, **more) for seed in range(count)]
        return self.write(name, "".join(json.dumps(run) + "\n" for run in runs))

    def test_a_change_is_told_and_fails_when_asked_to(self):
        before, after = self.runs("before.json", 1), self.runs("after.json", 1.5)
        better = self.good("bench", "compare", before, after, "--fail-if-worse", "--json").json()
        self.assertEqual((better["kind"], better["verdict"], better["base_runs"]), ("compare", "faster", 5))
        rate = better["figures"][0]
        self.assertEqual(rate["verdict"], "faster")
        self.assertLess(rate["low"], 1.5)
        self.assertGreater(rate["high"], 1.5)
        self.bad(1, "bench", "compare", after, before, "--fail-if-worse")
        self.assertIn("slower", self.good("bench", "compare", after, before).out)

    def test_files_of_a_side_are_put_together(self):
        sides = [",".join(self.write(f"{side}{k}.json", sample_result(k, requests_per_s=rate)) for k in range(4))
                 for side, rate in (("a", 5000), ("b", 2000))]
        answer = self.good("bench", "compare", "--base", sides[0], "--new", sides[1], "--json").json()
        self.assertEqual((answer["base_runs"], answer["new_runs"], answer["figures"][0]["verdict"]), (4, 4, "slower"))

    def test_too_few_runs_are_inconclusive(self):
        one = self.write("one.json", sample_result())
        other = self.write("other.json", sample_result(requests_per_s=50_000))
        answer = self.bad(7, "bench", "compare", one, other, "--json").json()
        self.assertGreater(answer["figures"][0]["ratio"], 9)
        self.assertIsNone(answer["figures"][0]["low"])

    def test_different_configurations_are_refused_by_name(self):
        four, seven = self.runs("four.json", 1), self.runs("seven.json", 1, nodes=7)
        self.assertIn("nodes (4, 7)", self.bad(2, "bench", "compare", four, seven).err)
        self.assertIn("nodes (4, 7)", self.good("bench", "compare", four, seven, "--force").err)
        self.bad(2, "bench", "compare", four)
        self.bad(2, "bench", "compare", four, "--base", four)
        self.bad(3, "bench", "compare", four, f"{self.home}/missing.json")


class Scale(Tools):
    def test_one_load_on_several_sizes_on_clusters_of_its_own(self):
        self.up()  # which it leaves alone
        work = {"vote_checks": 6, "certificate_checks": 4, "proposal_checks": 1, "request_checks": 1, "bytes": 900, "messages": 4}
        with open(f"{self.home}/counted.json", "w") as counted:
            json.dump({"schema": 1, "kind": "counted-work",
                       "rows": [{"nodes": 100, "batch": 256, "hops": 6, "a_node": work, "leader": work}]}, counted)
        answer = self.zell("bench", "scale", "--sizes", "1,4", "--rate", "10", "--warmup", "0s", "--duration", "2s",
                           "--counted", "counted.json", "--html", "scale.html", "--json")
        document = answer.json()
        self.assertEqual(document["kind"], "scale", answer)
        # On a machine busy with something else even this may be too much; then it says so, and ends with 1.
        self.assertEqual(answer.code, 0 if document["stopped"] is None else 1, answer)
        self.assertEqual([size["nodes"] for size in document["sizes"]], [1, 4][:len(document["sizes"])])
        for size, run in zip(document["sizes"], document["runs"]):
            self.assertEqual((run["kind"], run["config"]["nodes"], run["config"]["rate"]), ("bench", size["nodes"], 10))
            self.assertGreater(size["cpu_us_per_operation_and_node"], 0)
            self.assertGreater(size["disk_bytes_per_operation_and_node"], 128)
        with open(f"{self.home}/scale.html") as file:
            page = file.read()
        self.assertIn("CPU an operation and node", page)
        self.assertIn("the leader, batches of 256, 100 nodes: 900", page)
        clusters = self.good("cluster", "ls", "--json").json()["clusters"]
        self.assertEqual([cluster["name"] for cluster in clusters], ["dev"])

    def test_counted_work_that_cannot_be_drawn_is_refused_before_the_load(self):
        self.bad(2, "bench", "scale", "--counted", "counted.json")
        self.bad(3, "bench", "scale", "--counted", "missing.json", "--html", "scale.html")

    def test_sizes_that_make_no_cluster_are_refused(self):
        for sizes in ("0", "4,", "32", "four", ""):
            self.bad(2, "bench", "scale", "--sizes", sizes)


if __name__ == "__main__":
    unittest.main()
