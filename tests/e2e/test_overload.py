"""More load than a cluster can carry: what is let in becomes final, the rest is told to come again, and nothing falls over."""

import unittest

import harness

RATE = 40_000  # on any machine of today more than four nodes can check


class Overload(harness.Case):
    def test_what_is_let_in_becomes_final_and_the_rest_is_refused_as_busy(self):
        self.up()
        before = self.node("n1")["finalised"]
        bench = self.zell("bench", "--rate", str(RATE), "--duration", "3s", "--warmup", "0s", "--json", timeout=300)
        self.assertEqual(bench.code, 0, bench.err)
        requests = bench.json()["requests"]
        self.assertEqual(requests["offered"], 3 * RATE)
        self.assertEqual(requests["failed"], 0)
        self.assertEqual(requests["unknown"], 0)
        self.assertEqual(set(requests["refused_by"]), {"busy"})
        self.assertEqual(requests["finalised"] + requests["refused"], 3 * RATE)
        self.assertGreater(requests["finalised"], 0)
        self.good("cluster", "wait")
        self.good("verify")
        # What was let in is in the log, and nothing else (the probe of `cluster wait` may be).
        grown = self.node("n1")["finalised"] - before
        self.assertIn(grown - requests["finalised"], (0, 1))
        # And a quiet cluster serves at once again.
        self.good("submit", "after")


if __name__ == "__main__":
    unittest.main()
