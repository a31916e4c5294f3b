"""Proofs, logs and data folders, checked by somebody who trusts nothing but a genesis file. One cluster for all of it."""

import json
import os
import queue
import re
import shutil
import sqlite3
import threading
import time
import unittest

import harness


class Proofs(harness.Case):
    def folder(self):
        return self.good("cluster", "ls", "--json").json()["clusters"][0]["folder"]

    def rows(self, *words):
        return [json.loads(line) for line in self.good("log", "--json", *words).out.splitlines()]

    def indexes(self, *words):
        return [row["index"] for row in self.rows(*words)]

    def write(self, name, text):
        with open(os.path.join(self.home, name), "w") as file:
            file.write(text)
        return name

    def check_filters(self):
        everything = self.rows()
        self.assertTrue(all(row["proven"] for row in everything))
        by_text = {row.get("text"): row for row in everything}
        apple, pear, plum = (by_text[word] for word in ("apple", "pear", "plum"))
        self.assertEqual(self.indexes("--grep", "appl"), [apple["index"]])
        self.assertEqual(self.indexes("--grep", "nowhere"), [])
        self.assertEqual(self.indexes("--app", "fruit", "--app", "other"), [pear["index"], plum["index"]])
        self.assertEqual(self.indexes("--app", "fruit,other", "--sender", "bob"), [plum["index"]])
        self.assertEqual(self.indexes("--sender", "alice,bob", "--from", str(apple["index"])),
                         [apple["index"], pear["index"], plum["index"]])
        self.assertEqual(self.indexes("--id", plum["id"], "--id", apple["id"]), [apple["index"], plum["index"]])
        self.bad(3, "log", "--id", "0x" + "12" * 32)
        self.bad(2, "log", "--id", "12")
        self.bad(2, "log", "--unfinalised", "-f")
        self.bad(2, "log", "--unfinalised", "--proof")

    def check_proofs(self, genesis):
        row = self.rows("--grep", "plum")[0]
        proof = self.good("prove", str(row["index"])).out
        self.assertEqual(json.loads(proof)["kind"], "zell-inclusion-proof")
        self.good("prove", row["id"], "-o", "plum.json")
        self.assertIn("plum", self.good("verify", "--proof", "plum.json").out)
        self.good("verify", "--proof", "-", stdin=proof)
        self.good("verify", "--proof", "-", stdin=json.dumps(json.loads(proof), indent=2))
        lines = self.good("log", "--proof").out
        self.assertEqual(len(lines.splitlines()), len(self.rows()))
        answers = self.good("verify", "--proof", "-", "--genesis", genesis, "--json", stdin=lines).out.splitlines()
        self.assertEqual([json.loads(line)["index"] for line in answers], self.indexes())
        # What is not so is refused, whichever part of it is wrong.
        for part, wrong in (("index", row["index"] - 1), ("cluster", "0x" + "00" * 32), ("path", []), ("schema", 2)):
            document = {**json.loads(proof), part: wrong}
            self.bad(1, "verify", "--proof", self.write("wrong.json", json.dumps(document)))
        self.bad(1, "verify", "--proof", "-", stdin="hello")
        self.bad(2, "verify", "--proof", "-", stdin="")
        self.bad(3, "verify", "--proof", "missing.json")
        self.bad(2, "prove", "0")
        self.bad(2, "prove", "plum")
        self.bad(1, "prove", "99999")

    def check_ranges(self, total):
        whole = self.good("verify", "--json").json()
        self.assertEqual((whole["requests"], len(whole["nodes"])), (total, 4))
        part = self.good("verify", "--from", "2", "--to", "3", "--json").json()
        self.assertEqual((part["requests"], part["from"], part["to"]), (2, 2, 3))
        self.line_matches(self.good("verify", "--from", "2", "--to", "3").out.splitlines()[0],
                          r".*2 requests \(#2..#3\), log root recomputed from an inclusion proof, certificate of \d of 4 "
                          r"signers, 4 nodes agree")
        self.assertIn("not final", self.bad(1, "verify", "--from", "99999").err)
        self.bad(2, "verify", "--from", "3", "--to", "2")
        self.bad(2, "verify", "--from", "3", "--proof", "-")

    def check_certificate_and_evidence(self):
        import urllib.request
        url = self.good("cluster", "env").out
        url = re.search(r"http://127\.0\.0\.1:\d+", url).group(0)
        certificate = urllib.request.urlopen(url + "/v1/certificate", timeout=20).read().decode()
        self.assertIn("the log is final to #", self.good("verify", "--certificate", "-", stdin=certificate).out)
        higher = json.loads(certificate)
        higher["certificate"]["index"] += 1
        self.bad(1, "verify", "--certificate", "-", stdin=json.dumps(higher))
        listed = self.good("evidence", "ls")
        self.assertEqual((listed.out, "no node holds evidence" in listed.err), ("", True))
        self.assertEqual(self.good("evidence", "ls", "--json").json()["evidence"], [])
        self.bad(3, "evidence", "show", "1")
        self.good("evidence", "export", "-o", "evidence.json")
        self.assertIn("nobody is accused", self.bad(1, "verify", "--evidence", "evidence.json").err)

    def check_unfinalised(self):
        # Without a quorum what is sequenced stays so.
        leader = next(node["name"] for node in self.good("status", "--json").json()["nodes"] if node["role"] == "leader")
        others = [name for name in ("n1", "n2", "n3", "n4") if name != leader]
        self.good("node", "pause", ",".join(others[:2]))
        process = self.start("submit", "stuck", "--wait", "sequenced", "--timeout", "15s", "--to", leader)
        out, err = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 0, out + err)
        found = self.rows("--unfinalised", "--grep", "stuck")
        self.assertEqual([(row["state"], row["proven"]) for row in found], [("sequenced", False)])
        self.assertIn(found[0]["said_by"], ("n1", "n2", "n3", "n4"))
        self.assertIn("word only", self.good("log", "--tail", "1", "--unfinalised").err)
        self.good("node", "resume", ",".join(others[:2]))
        self.good("cluster", "wait")

    def follow_over_everything(self):
        """Killed leaders and a restart of all nodes, while somebody follows: nothing missed, nothing twice."""
        follower = self.start("log", "-f", "--json", "--grep", "followed")
        seen = queue.Queue()
        threading.Thread(target=lambda: [seen.put(json.loads(line)) for line in follower.stdout], daemon=True).start()
        wanted = []
        for number, change in enumerate((None, ("node", "kill", "leader"), ("node", "start", "all"),
                                         ("node", "restart", "all"), ("challenge", "--by", "n3,n4"))):
            if change:
                self.good(*change)  # returns when the rest is led again
                if "kill" not in change:
                    self.good("cluster", "wait")
            lines = "".join(f"followed {number}.{k}\n" for k in range(20))
            self.good("submit", "--lines", "-", stdin=lines)
            wanted += lines.splitlines()
        rows = [seen.get(timeout=60) for _ in wanted]
        self.assertEqual(sorted(row["text"] for row in rows), sorted(wanted))
        self.assertEqual([row["index"] for row in rows], sorted({row["index"] for row in rows}))
        self.assertTrue(seen.empty())
        follower.terminate()

    def check_data(self, genesis, total):
        folder = self.folder()
        data = [f"{folder}/n{k}/data" for k in range(1, 5)]
        self.assertIn("in use", self.bad(5, "verify", "--data", data[0]).err)
        # A crash leaves a WAL: it is read, and stays.
        self.good("node", "kill", "n4", "--no-wait")
        before = {name: os.stat(f"{data[3]}/{name}").st_mtime_ns for name in os.listdir(data[3])}
        self.good("verify", "--data", data[3])
        self.assertEqual(before, {name: os.stat(f"{data[3]}/{name}").st_mtime_ns for name in os.listdir(data[3])})
        self.good("down")
        answer = self.good("verify", "--signatures", "--data", *data, "--genesis", genesis, "--json").json()
        self.assertTrue(answer["verified"])
        self.assertEqual([one["name"] for one in answer["folders"]], ["n1", "n2", "n3", "n4"])
        self.assertEqual(answer["requests"], total)
        self.assertIn("4 folders agree", self.good("verify", "--data", ",".join(data)).out)
        self.bad(3, "verify", "--data", self.home)

        def with_change(sql):
            copy = os.path.join(self.home, "copy")
            shutil.rmtree(copy, ignore_errors=True)
            shutil.copytree(data[0], copy)
            database = sqlite3.connect(f"{copy}/node.db")
            database.execute(sql)
            database.commit()
            database.close()
            return copy

        # Of a version that this zell does not know: it says what to do, offline and when a node starts.
        for version, code in ((7, "newer-schema"), (0, "older-schema")):
            copy = with_change(f"UPDATE meta SET value = {version} WHERE name = 'schema'")
            error = self.bad(1, "verify", "--data", copy, "--json").json()["error"]
            self.assertEqual(error["code"], code)
            self.assertIn("run the zell that wrote it", error["hint"])
            shutil.copytree(data[0], f"{self.home}/kept")
            shutil.rmtree(data[0])
            shutil.copytree(copy, data[0])
            refused = self.zell("node", "run", "--config", f"{folder}/n1/node.toml", timeout=60)
            self.assertNotEqual(refused.code, 0)
            self.assertIn("run the zell that wrote it", refused.err + refused.out)
            shutil.rmtree(data[0])
            os.rename(f"{self.home}/kept", data[0])
        # Damage is a verdict about that folder, and the others' still stands.
        damaged = with_change("UPDATE batch SET requests = zeroblob(length(requests)) WHERE rowid = "
                              "(SELECT min(key) FROM batch)")
        answer = self.bad(1, "verify", "--data", damaged, "--data", data[1], "--json").json()
        self.assertEqual([one["verified"] for one in answer["folders"]], [False, True])
        self.assertEqual(answer["folders"][0]["error"]["code"], "corrupt")

    def test_what_is_final_can_be_proven_to_anybody(self):
        self.up()
        genesis = f"{self.folder()}/genesis.toml"
        shutil.copy(genesis, f"{self.home}/genesis.toml")
        genesis = f"{self.home}/genesis.toml"
        self.good("submit", "apple")
        self.good("submit", "pear", "--app", "fruit")
        self.good("submit", "plum", "--app", "other", "--as", "bob")
        for check in (self.check_filters, lambda: self.check_proofs(genesis), lambda: self.check_ranges(len(self.rows())),
                      self.check_certificate_and_evidence, self.check_unfinalised, self.follow_over_everything):
            check()
        self.good("cluster", "wait")
        time_limit = time.monotonic() + 30
        while len({node["finalised"] for node in self.good("status", "--json").json()["nodes"]}) != 1:
            self.assertLess(time.monotonic(), time_limit)
        self.check_data(genesis, len(self.rows()))


if __name__ == "__main__":
    unittest.main()
