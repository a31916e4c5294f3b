"""Nodes that fell behind: one that was down, under load, and one whose disk was wiped (a learner, which rejoins by the rule).

ZELL_BEHIND sets how many requests the first one misses (10,000).
"""

import os
import shutil
import subprocess
import time
import unittest

import harness

BEHIND = int(os.environ.get("ZELL_BEHIND", "10000"))


class CatchUp(harness.Case):
    def submit_lines(self, count, word):
        lines = "".join(f"{word} {i}\n" for i in range(count))
        self.good("submit", "--lines", "-", stdin=lines, timeout=600)

    def test_a_node_that_was_down_catches_up_under_load(self):
        self.up()
        self.good("node", "kill", "n4")
        self.submit_lines(BEHIND, "missed")
        load = subprocess.Popen([harness.ZELL, "submit", "--lines", "-"], env=self.env, cwd=self.home, text=True,
                                stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            load.stdin.write("".join(f"load {i}\n" for i in range(2000)))
            load.stdin.flush()
            began = time.monotonic()
            self.good("node", "start", "n4", timeout=600)
            took = time.monotonic() - began
        finally:
            load.stdin.close()
            self.assertEqual(load.wait(120), 0)
        print(f"{BEHIND} requests behind, under load: started and caught up in {took:.2f} s", flush=True)
        self.good("cluster", "wait")
        self.good("verify")
        self.assertGreaterEqual(self.node("n4")["finalised"], BEHIND + 2000)

    def test_a_wiped_node_follows_as_a_learner_and_rejoins_after_a_view_change(self):
        self.up()
        self.submit_lines(500, "before")
        self.good("node", "kill", "n3")
        folder = self.zell("cluster", "ls", "--json").json()["clusters"][0]["folder"]
        shutil.rmtree(os.path.join(folder, "n3", "data"))
        self.good("node", "start", "n3")
        self.assertTrue(harness.wait_for(lambda: self.node("n3")["finalised"] >= 501), "the learner does not follow")
        self.assertEqual(self.node("n3")["state"], "learner")
        # It asks the others which views they have signed in; once they have answered, any later view will do.
        self.assertTrue(harness.wait_for(lambda: self.node("n3")["rejoins_above"] is not None), "nobody answers it")
        # It signs nothing: with it, only one more vote is missing, and its challenge does not count.
        self.bad(1, "challenge", "--by", "n3")
        self.good("challenge", "--by", "n2,n4")
        self.assertTrue(harness.wait_for(lambda: self.node("n3")["state"] == "up"), "it does not rejoin")
        # Now its vote counts again: without n1 the others still serve.
        self.good("node", "kill", "n1")
        self.good("submit", "after")
        self.good("node", "start", "n1")
        self.good("verify")


if __name__ == "__main__":
    unittest.main()
