"""Starting, stopping, and what must never be left behind."""

import json
import os
import signal
import unittest

from harness import Case, is_alive, is_free, wait_for


class Lifecycle(Case):
    def pids(self):
        status = self.good("status", "--json").json()
        return status["supervisor_pid"], [node["pid"] for node in status["nodes"] if node["pid"]]

    def test_no_orphan_survives_a_killed_supervisor_and_up_goes_on_where_it_was(self):
        self.up("--seed", "7")
        self.good("submit", "kept")
        supervisor, nodes = self.pids()
        self.good("node", "pause", "n4")
        os.kill(supervisor, signal.SIGKILL)
        self.assertTrue(wait_for(lambda: not any(map(is_alive, nodes))), "orphans")
        dead = self.bad(3, "status")
        self.assertIn("dead", dead.err)
        self.assertIn("try: zell up dev", dead.err)
        self.assertIn("dead", self.good("cluster", "ls").out)

        again = self.good("up", "--json").json()
        self.assertFalse(again["created"])
        self.assertEqual(again["nodes"][0]["api"], f"http://127.0.0.1:{self.base_port + 1}")
        self.assertIn("kept", self.good("log").out)
        self.good("verify")

    def test_down_stops_paused_nodes_too_and_leaves_nothing_running(self):
        self.up()
        self.good("node", "pause", "n2")
        self.assertEqual(self.node("n2")["state"], "paused")
        self.good("down")
        self.assertEqual(self.pids_of_home(), [])
        self.assertTrue(is_free(self.base_port + 1))
        self.bad(3, "status")
        self.bad(3, "down")

    def test_each_way_to_stop_a_node_and_back(self):
        self.up()
        for act, state, back in (("kill", "killed", "start"), ("stop", "stopped", "start"), ("pause", "paused", "resume")):
            self.good("node", act, "n3")
            self.assertEqual(self.node("n3")["state"], state)
            self.assertIn("nothing to do", self.good("node", act, "n3").out)
            self.good("node", back, "n3")
            self.assertEqual(self.node("n3")["state"], "up")
        before = self.node("n2")["pid"]
        self.good("node", "restart", "n2")
        self.assertNotEqual(self.node("n2")["pid"], before)

    def test_too_few_nodes_is_told_and_heals(self):
        self.up()
        answer = self.good("node", "kill", "n3,n4")
        self.assertIn("too few nodes are left to serve", answer.out)
        status = self.bad(1, "status")
        self.assertIn("down: 2 of 4 nodes take part", status.out)
        self.bad(4, "submit", "stuck", "--timeout", "1s")
        self.good("node", "start", "all")
        self.good("status")
        self.good("cluster", "wait")

    def test_a_cluster_of_each_size(self):
        for nodes, faults in ((1, 0), (7, 2)):
            with self.subTest(nodes=nodes):
                name = f"size-{nodes}"
                self.up(name, "-n", str(nodes))
                status = self.good("status", "--json").json()
                self.assertEqual((len(status["nodes"]), status["tolerates"]), (nodes, faults))
                self.good("submit", "x")
                self.good("cluster", "rm", name, "--force")

    def test_stake_decides_what_may_fail(self):
        self.up("--stake", "3,1,1,1")
        # Six in all: without n1 only three are left, without any other five are.
        self.assertEqual(self.good("status", "--json").json()["tolerates"], 0)
        self.good("node", "kill", "n4")
        self.good("submit", "x")
        alone = self.bad(1, "challenge", "--by", "n2", "--json").json()
        self.assertEqual((alone["unit"], alone["challenges"], alone["needed"]), ("stake", 1, 3))

    def test_a_seed_makes_the_same_keys(self):
        keys = []
        for _ in range(2):
            self.up("--seed", "42")
            keys.append(self.good("key", "show", "alice", "--json").json()["address"])
            self.good("cluster", "rm", "dev", "--force")
        self.assertEqual(keys[0], keys[1])

    def test_ephemeral_leaves_nothing(self):
        self.up("--ephemeral")
        folder = self.good("status", "--json").json()["folder"]
        self.assertIn("its data is gone", self.good("down").out)
        self.assertFalse(os.path.exists(folder))
        self.assertEqual(self.good("cluster", "ls", "--json").json()["clusters"], [])

    def test_a_folder_instead_of_a_name(self):
        folder = f"{self.home}/here"
        self.up("--dir", folder)
        self.good("submit", "x", "--dir", folder)
        self.good("down", "--dir", folder)
        self.good("cluster", "rm", "--dir", folder)
        self.assertFalse(os.path.exists(folder))

    def test_foreground_shows_logs_and_ctrl_c_goes_down(self):
        process = self.start("up", "--foreground", "--base-port", str(self.base_port))
        for line in process.stderr:
            if "Ctrl-C to go down" in line:
                break
        _, nodes = self.pids()
        self.good("node", "restart", "n2")
        for line in process.stdout:
            if "node started" in line:
                break
        self.assertTrue(line.startswith("n2 "), line)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
        self.assertEqual(process.returncode, 0)
        self.assertFalse(any(map(is_alive, nodes)))

    def test_foreground_killed_takes_its_cluster_with_it(self):
        process = self.start("up", "--foreground", "--base-port", str(self.base_port))
        for line in process.stdout:
            if line.startswith("dev keys"):
                break
        supervisor, nodes = self.pids()
        process.kill()
        self.assertTrue(wait_for(lambda: not any(map(is_alive, [supervisor, *nodes]))))

    def test_logs_are_one_stream_with_a_prefix(self):
        self.up()
        lines = self.good("node", "logs", "--grep", "node started").lines()
        self.assertEqual(sorted(line.split()[0] for line in lines), ["n1", "n2", "n3", "n4"])
        times = [line.split()[1] for line in lines]
        self.assertEqual(times, sorted(times))
        one = [json.loads(line) for line in self.good("node", "logs", "n2", "--json").lines()]
        self.assertEqual({line["node"] for line in one}, {"n2"})
        follow = self.start("node", "logs", "n3", "-f", "--tail", "0")
        self.good("node", "restart", "n3")
        self.assertTrue(follow.stdout.readline().startswith("n3 "))

    def test_a_reader_that_stops_reading_is_no_error(self):
        self.up()
        self.good("submit", "--lines", "-", stdin="x\n" * 2000)
        process = self.start("log")
        process.stdout.readline()
        process.stdout.close()
        process.stdout = None
        _, err = process.communicate(timeout=60)
        self.assertEqual(err, "")
        self.assertIn(process.returncode, (0, -signal.SIGPIPE))


if __name__ == "__main__":
    unittest.main()
