"""The first five minutes of a user, as text and as JSON."""

import json
import unittest

from harness import Case


class FirstFiveMinutes(Case):
    def test_as_text(self):
        up = self.up()
        self.line_matches(up.lines()[0], r"✓ keys  ✓ n1 n2 n3 n4  ✓ probe finalised on 4 of 4 +[\d.]+ m?s")
        self.line_matches(up.lines()[1],
                          rf"dev  http://127\.0\.0\.1:{self.base_port + 1}  leader n1  tolerates 1 faulty node")
        self.assertEqual(up.lines()[2], "dev keys alice, bob (default alice)")
        self.assertIn("try: zell submit hello", up.err)

        hello = self.good("submit", "hello")
        self.line_matches(hello.out.strip(), r"✓ finalised  #2  [34] of 4 signatures  [\d.]+ m?s  0x[0-9a-f]{8}…")

        lines = self.good("submit", "--lines", "-", stdin="a\nb\n")
        self.assertEqual(lines.out, "2 finalised, 0 failed  #3..#4\n")

        log = self.good("log", "--tail", "2")
        self.assertEqual(log.lines()[0], "INDEX  STATE      VIEW  APP      SENDER  BYTES  DATA")
        self.line_matches(log.lines()[1], r"3      finalised  \d+     default  alice   1      a")
        self.line_matches(log.lines()[2], r"4      finalised  \d+     default  alice   1      b")

        leader = self.zell("status", "--json").json()["leader"]
        kill = self.good("node", "kill", "leader")
        self.line_matches(kill.out.strip(), rf"{leader} killed \(SIGKILL\); n\d leads after [\d.]+ m?s")
        self.assertIn(f"undo: zell node start {leader}", kill.err)

        status = self.good("status")
        self.assertEqual(status.lines()[0].split(),
                         ["NODE", "ROLE", "STATE", "VIEW", "SEQUENCED", "LOCKED", "FINALISED", "BEHIND"])
        rows = {line.split()[0]: line.split() for line in status.lines()[1:5]}
        self.assertEqual(rows[leader][1:3], ["–", "killed"])
        self.assertEqual(sorted(row[1] for row in rows.values()), ["follower", "follower", "leader", "–"])
        self.assertEqual(status.lines()[5], "degraded: serving, tolerates 0 further faults")

        self.good("node", "start", leader)
        now = self.zell("status", "--json").json()["leader"]
        others = [f"n{k}" for k in range(1, 5) if f"n{k}" != now][:2]
        alone = self.bad(1, "challenge", "--by", others[0])
        self.assertEqual(alone.out.strip(), f"✗ 1 of 2 needed challenges; leader {now} stays")
        both = self.good("challenge", "--by", ",".join(others))
        self.line_matches(both.out.strip(),
                          rf"✓ leader {now} → n\d, view \d+ → \d+, [\d.]+ m?s; first finalised after it #5")

        verify = self.good("verify")
        self.line_matches(verify.out.strip(),
                          r"✓ 5 requests, log root recomputed, certificate of [34] of 4 signers, 4 nodes agree")

        down = self.good("down")
        self.assertEqual(down.out, "stopped 4 nodes; data kept (zell cluster rm dev)\n")
        self.assertEqual(self.pids_of_home(), [])

    def test_as_json(self):
        up = self.up("--json").json()
        self.assertEqual((up["schema"], up["cluster"], up["created"]), (1, "dev", True))
        self.assertEqual((up["leader"], up["tolerates"], up["probe"]["finalised_on"]), ("n1", 1, 4))
        self.assertEqual(len(up["nodes"]), 4)

        hello = self.good("submit", "hello", "--json").json()
        self.assertEqual((hello["schema"], hello["state"], hello["index"]), (1, "finalised", 2))
        self.assertGreaterEqual(hello["signatures"], 3)

        lines = [json.loads(line) for line in self.good("submit", "--lines", "-", "--json", stdin="a\nb\n").lines()]
        self.assertEqual([line["index"] for line in lines], [3, 4])

        log = [json.loads(line) for line in self.good("log", "--from", "2", "--to", "3", "--json").lines()]
        self.assertEqual([(entry["index"], entry["text"], entry["sender"]) for entry in log],
                         [(2, "hello", "alice"), (3, "a", "alice")])
        self.assertEqual(log[0]["id"], hello["id"])

        kill = self.good("node", "kill", "leader", "--json").json()
        self.assertEqual(len(kill["changed"]), 1)
        self.assertTrue(kill["serving"])
        self.assertNotEqual(kill["leader"], kill["changed"][0])

        status = self.good("status", "--json").json()
        self.assertEqual((status["health"], status["serving"], status["tolerates"]), ("degraded", True, 0))
        states = {node["name"]: node["state"] for node in status["nodes"]}
        self.assertEqual(states[kill["changed"][0]], "killed")

        start = self.good("node", "start", kill["changed"][0], "--json").json()
        self.assertEqual(start["changed"], kill["changed"])
        alone = self.bad(1, "challenge", "--by", "followers:1", "--json").json()
        self.assertEqual((alone["challenges"], alone["needed"], alone["changed"]), (1, 2, False))
        both = self.good("challenge", "--by", "followers:2", "--json").json()
        self.assertTrue(both["changed"])
        self.assertGreater(both["view"], both["view_before"])

        verify = self.good("verify", "--json").json()
        self.assertEqual((verify["verified"], verify["requests"], len(verify["nodes"])), (True, 5, 4))
        self.assertEqual(verify["lies"], [])
        self.assertEqual(len({node["root"] for node in verify["nodes"]}), 1)

        down = self.good("down", "--json").json()
        self.assertEqual((down["stopped"], down["data_kept"]), (4, True))

    def test_submit_in_every_way(self):
        self.up()
        with open(f"{self.home}/picture", "wb") as file:
            file.write(bytes(range(256)))
        self.good("submit", "--file", "picture", "--app", "album")
        self.good("submit", "--file", "-", stdin="from stdin")
        self.good("submit", "one", "two", "--as", "bob")
        bundle = self.good("submit", "x", "y", "z", "--bundle", "--json").json()
        self.good("submit", "last line without its end", "--to", "n3", "--wait", "locked")
        self.assertEqual(self.good("submit", "--lines", "-", stdin="p\n\nq").out.split()[0], "3")

        every = [json.loads(line) for line in self.good("log", "--json").lines()]
        self.assertEqual([entry["index"] for entry in every], list(range(1, len(every) + 1)))
        self.assertEqual(every[1]["payloads"], ["0x" + bytes(range(256)).hex()])
        self.assertNotIn("text", every[1])
        self.assertEqual(len(every[bundle["index"] - 1]["payloads"]), 3)
        album = self.good("log", "--app", "album").lines()
        self.assertEqual(len(album), 2)
        self.assertTrue(album[1].endswith("…"))
        bob = [json.loads(line) for line in self.good("log", "--sender", "bob", "--json").lines()]
        self.assertEqual([entry["text"] for entry in bob], ["one", "two"])
        by_address = self.good("log", "--sender", bob[0]["address"], "--json", "--tail", "1").json()
        self.assertEqual(by_address["text"], "two")

    def test_follow_shows_what_comes_and_survives_a_restart_of_every_node(self):
        self.up()
        follow = self.start("log", "-f", "--app", "default", "--json")
        self.good("submit", "before")
        self.assertEqual(json.loads(follow.stdout.readline())["text"], "before")
        self.good("node", "restart", "all")
        self.good("submit", "after")
        self.assertEqual(json.loads(follow.stdout.readline())["text"], "after")
        self.good("down")
        follow.wait(60)
        self.assertEqual(follow.returncode, 3)


if __name__ == "__main__":
    unittest.main()
