"""The logs of nodes: filters, levels, time, following over rotations, and a crash's last words."""

import json
import os
import re
import signal
import time
import unittest

from harness import Case, wait_for

FILE_BYTES = 16 << 20  # node/runtime/LOG.md
FILES = 4
LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (DEBUG|INFO|WARN|ERROR) n\d \w+ .*")


class NodeLogs(Case):
    def documents(self, *words):
        return [json.loads(line) for line in self.good("node", "logs", *words, "--json").lines()]

    def folder(self):
        return self.good("status", "--json").json()["folder"]

    def test_lines_are_structured_and_filtered(self):
        self.up()
        self.good("node", "kill", "n1")
        every = self.documents("--tail", "10000")
        self.assertEqual([line["time"] for line in every], sorted(line["time"] for line in every))
        started = [line for line in every if (line["component"], line["message"]) == ("node", "started")]
        self.assertEqual({line["node"] for line in started}, {"n1", "n2", "n3", "n4"})
        self.assertEqual({line["fields"]["log_format"] for line in started}, {"1"})
        for line in every:
            self.assertIsNotNone(LINE.fullmatch(line["line"]), line)
            self.assertEqual(line["schema"], 1)
        warned = self.documents("--level", "warn", "--tail", "10000")
        self.assertTrue(warned)
        before = [line for line in every if line["level"] in ("warn", "error")]
        self.assertEqual(warned[:len(before)], before)
        challenged = self.documents("--grep", "challenging the leader .*reason=un[a-z]+", "--tail", "1")
        self.assertEqual(challenged[0]["fields"]["reason"], "unresponsive")
        # The last lines of those that match, not those of the last lines that match.
        self.assertEqual(len(self.documents("--grep", "node started", "--tail", "2")), 2)
        # From a time as it was printed, and by age.
        later = self.documents("--since", challenged[0]["time"], "--tail", "10000")
        self.assertEqual([line for line in later if line["time"] < challenged[0]["time"]], [])
        self.assertIn(challenged[0], later)
        self.assertGreaterEqual(len(self.documents("--since", "1h")), len(every))
        self.assertEqual(self.documents("--since", "2100-01-01"), [])
        self.assertEqual({line["node"] for line in self.documents("n2,n3")}, {"n2", "n3"})
        # Colour is of the prefix, for each node another one.
        colours = {line.split("n", 1)[0] for line in self.good("node", "logs", "--grep", "node started", "--color", "always").lines()}
        self.assertEqual(len(colours), 4)

        for words, says in ((("--grep", "["), "is no pattern"), (("--since", "soon"), "is no time"),
                            (("--level", "loud"), "one of debug"), (("n9",), "n9")):
            self.assertIn(says, self.bad(2, "node", "logs", *words).err)

    def test_levels_change_while_a_node_runs(self):
        self.up("-n", "1")
        self.good("submit", "quiet")
        self.assertEqual(self.documents("--grep", " finalised "), [])
        self.assertEqual(self.good("node", "log-level", "debug", "--json").json()["nodes"], ["n1"])
        self.good("submit", "loud")
        self.assertTrue(wait_for(lambda: self.documents("--grep", " finalised ")))
        # Payloads are never logged.
        self.assertEqual(self.documents("--grep", "loud|" + "loud".encode().hex(), "--tail", "10000"), [])
        self.good("node", "log-level", "error")
        self.good("node", "restart", "n1")  # back to what its node.toml says
        self.assertTrue(self.documents("--grep", "node started", "--since", "1m"))
        self.assertIn("one of debug", self.bad(2, "node", "log-level", "loud").err)

    def test_following_goes_on_over_a_rotation_and_the_bound_holds(self):
        self.up("-n", "1")
        log = f"{self.folder()}/n1/log"
        follow = self.start("node", "logs", "-f", "--tail", "0", "--json")

        def next_line(pattern):
            for line in follow.stdout:
                if re.search(pattern, json.loads(line)["line"]):
                    return json.loads(line)["line"]
            self.fail(follow.stderr.read())

        self.good("node", "restart", "n1")
        next_line("node started")
        filler = b"2020-01-01T00:00:00.000Z INFO n1 test filler k=" + b"x" * 900 + b"\n"
        for round_ in range(FILES + 1):
            self.good("node", "stop", "n1")
            next_line("node stopped")
            with open(log, "ab") as file:
                file.write(filler * ((FILE_BYTES - os.path.getsize(log)) // len(filler)))
            # What it logs until it is stopped again is more than fits.
            self.good("node", "start", "n1")
            for _ in range(20):
                self.good("node", "log-level", "debug", "n1")
                if os.path.getsize(log) < FILE_BYTES // 2:
                    break
            self.assertLess(os.path.getsize(log), FILE_BYTES // 2)
            self.assertGreater(os.path.getsize(f"{log}.1"), FILE_BYTES // 2)
            # It was there before the rotation or after it, and is seen in any case.
            next_line("node started")
        files = [name for name in os.listdir(os.path.dirname(log)) if name.startswith("log")]
        self.assertEqual(sorted(files), ["log", "log.1", "log.2", "log.3"])
        self.assertLessEqual(sum(os.path.getsize(f"{os.path.dirname(log)}/{name}") for name in files), FILES * FILE_BYTES + 4096)
        # History is read over all the files.
        seen = [line["line"] for line in self.documents("--grep", "node started", "--tail", "100")]
        self.assertGreaterEqual(len(seen), FILES - 1)

        # A crash's last words go to the newest file, though the file that stderr was opened with was moved away.
        pid = self.node("n1")["pid"]
        for fd in (1, 2):
            self.assertEqual(os.readlink(f"/proc/{pid}/fd/{fd}"), log)
        with open(f"/proc/{pid}/fd/2", "ab") as stderr:
            stderr.write(b"terminate called \x1b[31mhere\n")
        os.kill(pid, signal.SIGABRT)
        self.assertIn("terminate called", next_line("terminate"))
        words = self.good("node", "logs", "--level", "error", "--tail", "1")
        self.assertEqual(words.out, "n1 terminate called \\x1b[31mhere\n")
        last = self.documents("--tail", "1")[0]
        self.assertEqual((last["level"], last["time"]), (None, None))


if __name__ == "__main__":
    unittest.main()
