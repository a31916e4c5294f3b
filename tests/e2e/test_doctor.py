"""zell doctor finds what is in the way, says how to mend it, and changes nothing else."""

import os
import signal
import socket
import subprocess
import time
import unittest

from harness import Case, is_alive, wait_for


class Doctor(Case):
    def examine(self, *words, code=0, **more):
        document = self.bad(code, "doctor", "--json", *words, **more).json()
        checks = {}
        for one in document["checks"]:
            self.assertEqual(set(one), {"check", "health", "finding", "fix"})
            # What is not well has its fix.
            self.assertEqual(one["fix"] is None, one["health"] == "ok", one)
            if checks.get(one["check"], one)["health"] in ("ok", one["health"]):
                checks[one["check"]] = one
        for health in ("ok", "warn", "fail"):
            self.assertEqual(document[health], sum(one["health"] == health for one in document["checks"]))
        return checks

    def test_a_machine_that_is_well(self):
        begin = time.monotonic()
        checks = self.examine()
        self.assertLess(time.monotonic() - begin, 30)  # it takes 0.4 s; the rest is for machines that are busy
        self.assertLessEqual({"cores", "memory", "open-files", "processes", "clock", "space", "disk", "ports", "keys", "configuration",
                         "runtime-folder", "socket-path", "stale-sockets", "stale-clusters"}, set(checks))
        self.assertEqual(os.listdir(self.env["XDG_STATE_HOME"]), [])
        text = self.good("doctor")
        self.assertIn("0 of", text.lines()[-1])
        self.assertEqual(text.err, "")

    def test_limits(self):
        script = "ulimit -Sn 64; exec zell doctor --json"
        done = subprocess.run(["/bin/sh", "-c", script], capture_output=True, text=True, env=self.env)
        self.assertEqual(done.returncode, 1)
        self.assertIn('"fix":"ulimit -Sn 1024"', done.stdout)

    def test_folders_and_keys(self):
        self.good("key", "new", "carol", "--dev")
        keys = f"{self.env['XDG_DATA_HOME']}/zell/keys"
        self.assertEqual(self.examine()["keys-folder"]["health"], "ok")
        os.chmod(f"{keys}/carol.json", 0o644)
        self.assertIn("carol", self.examine(code=1)["keys"]["finding"])
        os.chmod(f"{keys}/carol.json", 0o600)
        os.chmod(keys, 0o755)
        found = self.examine(code=1)["keys-folder"]
        self.assertEqual((found["health"], found["fix"]), ("fail", f"chmod 700 '{keys}'"))
        subprocess.run(["/bin/sh", "-c", found["fix"]], check=True)
        self.assertEqual(self.examine()["keys-folder"]["health"], "ok")
        config = f"{self.env['XDG_CONFIG_HOME']}/zell"
        os.mkdir(config)
        os.chmod(config, 0o777)
        self.assertEqual(self.examine(code=1)["config-folder"]["fix"], f"chmod go-w '{config}'")
        os.chmod(config, 0o700)
        with open(f"{config}/config.toml", "w") as file:
            file.write("schema = 1\n[up]\nnodes = 99\n")
        self.assertIn("config.toml:3", self.examine(code=1)["configuration"]["finding"])

    def test_runtime_folder_and_socket_paths(self):
        missing = self.examine(env={"XDG_RUNTIME_DIR": f"{self.home}/gone"})
        self.assertEqual((missing["runtime-folder"]["health"], missing["runtime-folder"]["fix"]), ("warn", "unset XDG_RUNTIME_DIR"))
        self.assertIn("is not set", self.examine(env={"XDG_RUNTIME_DIR": ""})["runtime-folder"]["finding"])
        long = f"{self.home}/{'x' * 80}"
        os.mkdir(long, 0o700)
        self.assertEqual(self.examine(env={"XDG_RUNTIME_DIR": long})["socket-path"]["health"], "warn")
        os.chmod(long, 0o755)
        self.assertEqual(self.examine(env={"XDG_RUNTIME_DIR": long})["runtime-folder"]["fix"], f"chmod 700 '{long}'")

    def test_a_disk_that_cannot_be_written(self):
        with open(f"{self.home}/file", "w"):
            pass
        if os.getuid() != 0:
            os.chmod(self.env["XDG_STATE_HOME"], 0o500)
            self.assertIn("cannot write", self.examine(code=1)["disk"]["finding"])
            os.chmod(self.env["XDG_STATE_HOME"], 0o700)
        # Memory is no disk.
        if os.path.isdir("/dev/shm") and os.access("/dev/shm", os.W_OK):
            self.assertIn("is in memory", self.examine(env={"XDG_STATE_HOME": "/dev/shm/none"})["disk"]["finding"])

    def test_ports_that_somebody_has(self):
        with socket.socket() as holder:
            holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                holder.bind(("127.0.0.1", 7153))
                holder.listen()
            except OSError:
                pass  # somebody has it already, which is as good
            found = self.examine()["ports"]
            self.assertEqual(found["health"], "warn")
            self.assertIn("7153 by ", found["finding"])
            self.assertIn("--base-port", found["fix"])

    def test_what_was_left_is_found_and_removed(self):
        kept = self.up("kept", "-n", "1", "--json").json()
        self.assertEqual(self.examine()["cluster-kept"]["health"], "ok")
        gone = self.good("up", "gone", "-n", "1", "--ephemeral", "--json").json()
        pids = [document["supervisor_pid"] for document in (kept, gone)]
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        self.assertTrue(wait_for(lambda: not any(map(is_alive, pids)) and not self.node_pids()))
        checks = self.examine()
        self.assertEqual(checks["stale-sockets"]["health"], "warn")
        self.assertEqual(checks["stale-clusters"]["health"], "warn")
        self.assertTrue(os.path.isdir(gone["folder"]))
        fixed = self.examine("--fix")
        self.assertEqual(fixed["stale-sockets"]["health"], "ok")
        self.assertIn("removed", fixed["stale-sockets"]["finding"])
        self.assertFalse(os.path.exists(gone["folder"]))
        self.assertTrue(os.path.isdir(kept["folder"]))
        again = self.examine()
        self.assertEqual(again["stale-sockets"]["health"], "ok")
        self.assertEqual(again["stale-clusters"]["fix"], "zell up kept, or zell cluster rm kept")
        self.good("up", "kept")
        os.remove(f"{kept['folder']}/cluster.toml")
        self.assertIn("kept", self.examine(code=1)["stale-clusters"]["finding"])

    def node_pids(self):
        return [pid for pid in self.pids_of_home() if b"node\0run" in open(f"/proc/{pid}/cmdline", "rb").read()]

    def test_a_cluster_that_is_not_well(self):
        self.up("-n", "4")
        self.good("node", "kill", "n1")  # returns when the rest is led
        found = self.examine()["cluster-dev"]
        self.assertEqual((found["health"], found["fix"]), ("warn", "zell node start all --cluster dev"))
        self.good("node", "kill", "n2,n3", "--no-wait")
        found = self.examine(code=1)["cluster-dev"]
        self.assertEqual((found["health"], found["fix"]), ("fail", "zell status dev"))
        # A live cluster's sockets are no leftovers.
        self.examine("--fix", code=1)
        self.good("node", "start", "all")


if __name__ == "__main__":
    unittest.main()
