"""Status that tells the truth about every node, whatever has become of it; and a cluster whose folder goes."""

import fcntl
import json
import os
import pty
import re
import resource
import select
import shutil
import signal
import struct
import subprocess
import termios
import time
import unittest

from harness import PATIENCE, ZELL, Case, is_alive, wait_for


class Status(Case):
    def status(self):
        return self.zell("status", "--json").json()

    def leader_line(self):
        return next(line for line in self.zell("status").lines() if " leads view " in line)

    def test_who_leads_since_when_and_why(self):
        self.up()
        self.assertRegex(self.leader_line(), r"^n1 leads view 0 since \d\d:\d\d:\d\dZ \(\d+ s\)$")
        self.assertEqual((self.status()["leadership"]["after"], self.status()["leadership"]["because"]), (None, []))
        self.good("node", "kill", "n1")
        line = self.leader_line()
        self.assertRegex(line, r"^n2 leads view 1 since \d\d:\d\d:\d\dZ \(\d+ s\), after n1 was unresponsive \(n\d(, n\d)*\)$")
        leadership = self.status()["leadership"]
        self.assertEqual((leadership["node"], leadership["view"], leadership["after"]), ("n2", 1, "n1"))
        self.assertEqual({one["reason"] for one in leadership["because"]}, {"unresponsive"})
        self.assertLessEqual({one["node"] for one in leadership["because"]}, {"n2", "n3", "n4"})
        self.good("node", "start", "n1")
        self.good("challenge", "--by", "n1,n4")
        self.assertIn("after n2 was challenged by hand (n1, n4)", self.leader_line())
        # A node that is started again has forgotten why; the others have not.
        self.good("node", "restart", "n4")
        self.assertIn("after n2 was challenged by hand (n1, n4)", self.leader_line())

    def test_a_node_that_runs_and_does_not_answer(self):
        self.up()
        pid = self.node("n4")["pid"]
        os.kill(pid, signal.SIGSTOP)  # behind the supervisor's back
        try:
            node = self.node("n4")
            self.assertEqual((node["state"], node["role"], node["pid"]), ("no answer", None, pid))
            self.assertTrue(node["no_answer"])
            text = self.good("status")
            self.assertIn("n4 runs and does not answer: ", text.out)
            self.assertIn("degraded: serving, tolerates 0 further faults", text.out)
        finally:
            os.kill(pid, signal.SIGCONT)
        self.assertTrue(wait_for(lambda: self.node("n4")["state"] == "up"))

    def test_a_node_whose_disk_is_full(self):
        self.up()
        node = self.node("n4")
        database = f"{self.status()['folder']}/n4/data"
        # No file of that process may become longer than the longest of its data is now.
        most = max(os.path.getsize(os.path.join(database, name)) for name in os.listdir(database))
        resource.prlimit(node["pid"], resource.RLIMIT_FSIZE, (most, most))
        lines = "".join(f"{'x' * 1000}{k}\n" for k in range(3000))
        self.good("submit", "--lines", "-", stdin=lines)  # the others go on
        self.assertTrue(wait_for(lambda: self.node("n4")["state"] == "out of disk"), self.status())
        full = self.node("n4")
        self.assertEqual(full["failed"]["code"], "disk-full")
        self.assertRegex(full["failed"]["reason"], r"node\.(db|bodies)")
        text = self.good("status")
        row = next(line for line in text.lines() if line.startswith("n4 "))
        self.assertIn("out of disk", row)
        self.assertRegex(text.out, r"n4 takes no part: .* \(disk-full\)")
        self.assertIn("degraded: serving, tolerates 0 further faults", text.out)
        # With space again it is as before, and has lost nothing.
        self.good("node", "restart", "n4")
        self.assertTrue(wait_for(lambda: self.node("n4")["state"] == "up"))
        self.good("cluster", "wait")
        self.assertIn("4 nodes agree", self.good("verify").out)

    def test_stake_is_told_where_it_differs(self):
        self.up("--stake", "3,1,1,1")
        text = self.good("status")
        self.assertEqual(text.lines()[0].split()[:4], ["NODE", "ROLE", "STATE", "STAKE"])
        self.assertEqual(text.lines()[1].split()[3], "3")
        self.assertEqual(text.lines()[5], "healthy: serving, tolerates 0 faults, counting the heaviest nodes first; "
                                          "6 of 6 stake takes part, 5 needed")
        self.good("node", "kill", "n4")
        self.assertEqual(self.status()["stake"], {"voting": 5, "needed": 5, "total": 6})

    def test_watch_off_a_terminal_is_a_document_a_change(self):
        self.up()
        watch = self.start("status", "--watch")
        first = json.loads(watch.stdout.readline())
        self.assertEqual((first["schema"], first["health"]), (1, "healthy"))
        self.good("node", "pause", "n4", "--no-wait")
        for line in watch.stdout:
            seen = json.loads(line)
            if seen["health"] == "degraded":
                break
        self.assertEqual([node["state"] for node in seen["nodes"]], ["up", "up", "up", "paused"])
        self.good("down")
        for line in watch.stdout:
            seen = json.loads(line)
            if "error" in seen:
                break
        self.assertEqual(seen["error"]["code"], "not-running")
        # It goes on, and sees the cluster come back.
        self.good("up")
        for line in watch.stdout:
            seen = json.loads(line)
            if seen.get("health") == "healthy":
                break
        watch.send_signal(signal.SIGINT)
        self.assertEqual(watch.wait(30), -signal.SIGINT)
        self.bad(3, "status", "--watch", "other")

    def test_watch_on_a_terminal_draws_over_itself_and_leaves_the_terminal_as_it_was(self):
        self.up()
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
        watch = subprocess.Popen([ZELL, "status", "--watch"], env={**self.env, "TERM": "xterm"}, cwd=self.home,
                                 stdin=theirs, stdout=theirs, stderr=theirs)
        self.started.append(watch)
        os.close(theirs)
        seen = b""

        def read_until(done):
            nonlocal seen
            end = time.monotonic() + PATIENCE
            while not done():
                self.assertLess(time.monotonic(), end, seen)
                if select.select([ours], [], [], 1)[0]:
                    try:
                        seen += os.read(ours, 65536)
                    except OSError:  # its end is closed
                        return

        read_until(lambda: b"leads view 0" in seen)
        self.assertTrue(seen.startswith(b"\x1b[?1049h"), seen)
        self.good("node", "pause", "n4", "--no-wait")
        read_until(lambda: b"paused" in seen)
        # It never clears the screen, which would flicker: it goes home and writes over what is there.
        self.assertNotIn(b"\x1b[2J", seen)
        self.assertGreaterEqual(seen.count(b"\x1b[H"), 2)
        watch.send_signal(signal.SIGINT)
        read_until(lambda: watch.poll() is not None)
        read_until(lambda: b"\x1b[?1049l" in seen)
        self.assertEqual(watch.wait(30), 130)
        self.assertLess(seen.rindex(b"\x1b[?25h"), seen.rindex(b"\x1b[?1049l"))
        os.close(ours)

    def test_a_folder_that_goes_takes_the_cluster_with_it(self):
        self.up()
        status = self.status()
        pids = [status["supervisor_pid"], *(node["pid"] for node in status["nodes"])]
        shutil.rmtree(status["folder"], ignore_errors=True)  # a node may make a file meanwhile
        self.assertTrue(wait_for(lambda: not any(map(is_alive, pids))), "it runs on, and nobody can find it")
        shutil.rmtree(status["folder"], ignore_errors=True)
        self.bad(3, "status")
        self.up()  # its ports are free

    def test_the_foreground_tells_that_the_folder_went(self):
        process = self.start("up", "--foreground", "--base-port", str(self.base_port))
        for line in process.stderr:
            if "Ctrl-C to go down" in line:
                break
        folder = self.status()["folder"]
        os.rename(folder, f"{self.home}/elsewhere")
        _, err = process.communicate(timeout=PATIENCE)
        self.assertIn(f"the cluster went down: its folder {folder} is gone", err)
        self.assertEqual(process.returncode, 3)
        with open(f"{self.home}/elsewhere/supervisor.log") as log:
            self.assertRegex(log.read(), re.escape(folder) + r"/supervisor\.lock is gone: it was removed, moved or replaced")


if __name__ == "__main__":
    unittest.main()
