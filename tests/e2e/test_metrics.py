"""What Prometheus collects from a node: well-formed, complete, as METRICS.md says, and true."""

import json
import os
import re
import shutil
import subprocess
import time
import unittest
import urllib.request

import harness
import prometheus_text

PAGE = os.path.join(os.path.dirname(__file__), "..", "..", "node", "metrics", "METRICS.md")


def scrape(url):
    with urllib.request.urlopen(url + "/metrics", timeout=30) as answer:
        return answer.headers["Content-Type"], answer.read().decode()


def families_of_page():
    """name -> (type, label names), from the tables."""
    rows = {}
    with open(PAGE) as page:
        for line in page:
            match = re.fullmatch(r"\| `([a-z_]+)` \| (\w+) \| (.*?) ?\| .*\|\n", line)
            if match:
                assert match[1] not in rows, match[1]
                rows[match[1]] = (match[2], set(re.findall(r"`(\w+)`", match[3])))
    return rows


class Metrics(harness.Case):
    def setUp(self):
        super().setUp()
        self.up()
        self.nodes = {node["name"]: node for node in self.good("status", "--json").json()["nodes"]}

    def read(self, name):
        return prometheus_text.parse(scrape(self.nodes[name]["api"])[1])

    def test_metrics_are_well_formed_complete_and_true(self):
        """One cluster for all of it; what changes the view comes last."""
        with self.subTest("the page and the output agree"):
            self.check_page()
        with self.subTest("what is counted is what happened"):
            self.check_counts()
        with self.subTest("refusals"):
            self.check_refusals()
        with self.subTest("views"):
            self.check_views()

    def check_page(self):
        kind, _ = scrape(self.nodes["n1"]["api"])
        self.assertEqual(kind, "text/plain; version=0.0.4; charset=utf-8")
        text = scrape(self.nodes["n1"]["api"])[1]  # by now an HTTP request has been counted
        families = prometheus_text.parse(text)
        page = families_of_page()
        self.assertEqual(set(families), set(page))
        for name, family in families.items():
            kind, labels = page[name]
            self.assertEqual(family.type, kind, name)
            found = family.label_names() - ({"le"} if kind == "histogram" else set())
            self.assertTrue(found == labels or not family.samples, f"{name} has labels {found}")
        if promtool := shutil.which("promtool"):
            checked = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, text=True)
            self.assertEqual((checked.returncode, checked.stdout + checked.stderr), (0, ""))

    def check_counts(self):
        before = self.read("n1")
        self.good("submit", "--to", "n1", *[f"m{i}" for i in range(20)])
        after = self.read("n1")

        def grown(name, **labels):
            return after[name].value(**labels) - before[name].value(**labels)

        for name in ("zell_requests_taken_in_total", "zell_requests_finalised_total", "zell_log_requests_total",
                     "zell_finalised_index"):
            self.assertEqual(grown(name), 20, name)
        finality = after["zell_request_finality_seconds"].samples
        self.assertEqual(finality[("_count", ())], after["zell_requests_finalised_total"].value())
        self.assertGreater(finality[("_sum", ())], 0)
        for name in ("zell_storage_commits_total", "zell_storage_syncs_total", "zell_storage_written_bytes_total",
                     "zell_signatures_made_total", "zell_log_bytes_total", "zell_log_batches_total"):
            self.assertGreater(grown(name), 0, name)
        self.assertGreaterEqual(grown("zell_signature_checks_total", of="requests"), 20)
        self.assertGreater(grown("zell_signature_checks_total", of="members"), 0)
        for peer in ("n2", "n3", "n4"):
            self.assertEqual(after["zell_peer_up"].value(peer=peer), 1)
            self.assertGreater(grown("zell_peer_sent_bytes_total", peer=peer), 0)
            self.assertGreater(grown("zell_peer_received_messages_total", peer=peer), 0)
        self.assertGreater(after["zell_http_requests_total"].value(route="/v1/requests", status="200"), 0)
        self.assertEqual(after["zell_ready"].value(), 1)
        self.assertEqual(sum(self.read(name)["zell_leader"].value() for name in self.nodes), 1)
        # The process: started while this test ran, with the files that the system says it has.
        self.assertLess(abs(time.time() - after["process_start_time_seconds"].value()), harness.PATIENCE)
        open_files = len(os.listdir(f"/proc/{self.nodes['n1']['pid']}/fd"))
        self.assertLess(abs(after["process_open_fds"].value() - open_files), 10)

    def check_refusals(self):
        url = self.nodes["n2"]["api"]
        with urllib.request.urlopen(url + "/v1/log") as answer:
            entry = json.load(answer)["requests"][1]
        signed = {name: entry[name] for name in ("app", "nonce", "payloads", "sender", "signature")}

        def refusals_by(body):
            def refused():
                return self.read("n2")["zell_requests_refused_total"].samples
            before = refused()
            call = urllib.request.Request(url + "/v1/requests?wait=finalised", json.dumps(body).encode(),
                                          {"Content-Type": "application/json"})
            with urllib.request.urlopen(call) as answer:
                state = json.load(answer)["results"][0]["state"]
            return state, {labels: count - before[key] for key, count in refused().items()
                           for labels in key[1] if count != before[key]}

        # Sent again it is no refusal; with another payload it is not what was signed.
        self.assertEqual(refusals_by(signed), ("finalised", {}))
        self.assertEqual(refusals_by({**signed, "payloads": ["0x00"]}), ("refused", {("reason", "bad-signature"): 1}))
        del signed["sender"]
        no_point = {**signed, "signature": "0x" + "ff" * 64 + "1b"}
        self.assertEqual(refusals_by(no_point), ("refused", {("reason", "bad-signature"): 1}))

    def check_views(self):
        self.good("challenge", "--by", "n3,n4")
        for name in self.nodes:  # the last may enter a little later than the cluster serves
            entered = lambda: self.read(name)["zell_views_entered_total"].value()
            self.assertTrue(harness.wait_for(lambda: entered() == 1), name)
            families = self.read(name)
            changes = families["zell_view_changes_total"]
            self.assertEqual(changes.value(reason="manual") + changes.value(reason="told"), 1, name)
            self.assertEqual(changes.total(), 1, name)
            made = 1 if name in ("n3", "n4") else 0
            self.assertEqual(families["zell_challenges_total"].value(reason="manual"), made, name)
        self.good("node", "kill", "leader")
        gone = [name for name in self.nodes if self.node(name)["state"] == "killed"]
        self.assertEqual(len(gone), 1)
        left = next(name for name in self.nodes if name not in gone)
        families = self.read(left)
        self.assertEqual(families["zell_peer_up"].value(peer=gone[0]), 0)
        self.assertEqual(families["zell_view_changes_total"].total(), 2)


class Reader(unittest.TestCase):
    def test_what_is_malformed_is_refused(self):
        good = "# HELP a_total A.\n# TYPE a_total counter\na_total{x=\"1\"} 2\n"
        self.assertEqual(prometheus_text.parse(good)["a_total"].value(x="1"), 2)
        histogram = ("# HELP h_seconds H.\n# TYPE h_seconds histogram\nh_seconds_bucket{le=\"1\"} 2\n"
                     "h_seconds_bucket{le=\"+Inf\"} 3\nh_seconds_sum 4.5\nh_seconds_count 3\n")
        prometheus_text.parse(histogram)
        for bad in (good[:-1], good + good, good + "a_total{x=\"1\"} 3\n", good.replace("# TYPE a_total counter\n", ""),
                    good.replace("# HELP a_total A.\n", ""), good.replace("a_total", "a"), good.replace(" 2", " two"),
                    good.replace("x=", "x"), good.replace('"1"', '"1",'), good + "b 1\n", good + "\n",
                    good.replace("} 2", "} -2"), good.replace("counter", "gauge"), good.replace("a_total", "a_ms_total"),
                    histogram.replace('"1"} 2', '"1"} 4'), histogram.replace("count 3", "count 2"),
                    histogram.replace("h_seconds_sum 4.5\n", ""), histogram.replace('{le="1"}', "")):
            with self.assertRaises(prometheus_text.Malformed, msg=bad):
                prometheus_text.parse(bad)


if __name__ == "__main__":
    unittest.main()
