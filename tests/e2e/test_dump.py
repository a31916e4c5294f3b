"""The support bundle: of a cluster that runs, is dead, or damaged; and never a key in it."""

import gzip
import hashlib
import json
import os
import re
import signal
import subprocess
import tarfile
import unittest

from harness import Case, is_alive, wait_for


class Dump(Case):
    def dump(self, *words):
        document = self.good("cluster", "dump", *words, "--json").json()
        self.assertEqual(os.stat(document["file"]).st_mode & 0o777, 0o600)
        self.assertEqual(document["bytes"], os.path.getsize(document["file"]))
        with tarfile.open(document["file"]) as bundle:
            tops = {member.name.split("/", 1)[0] for member in bundle.getmembers()}
            self.assertEqual(len(tops), 1)
            self.assertTrue(document["file"].endswith(tops.pop() + ".tar.gz") or "-o" in words)
            files = {member.name.split("/", 1)[1]: bundle.extractfile(member).read() for member in bundle.getmembers()
                     if member.isfile()}
        self.assertEqual({entry["name"]: entry["bytes"] for entry in document["files"]},
                         {name: len(text) for name, text in files.items()})
        return files

    def secrets(self, folder):
        """Whatever the cluster's key files hold, and the keys themselves."""
        found = []
        for root, _, names in os.walk(folder):
            for name in filter(lambda name: name.endswith(".json"), names):
                with open(os.path.join(root, name)) as file:
                    crypto = json.load(file)["crypto"]
                found += [crypto["ciphertext"], crypto["mac"], crypto["kdfparams"]["salt"], crypto["cipherparams"]["iv"]]
                p = crypto["kdfparams"]
                key = hashlib.scrypt(b"", salt=bytes.fromhex(p["salt"]), n=p["n"], r=p["r"], p=p["p"], dklen=p["dklen"],
                                     maxmem=1 << 28)
                secret = subprocess.run(["openssl", "enc", "-d", "-aes-128-ctr", "-nopad", "-K", key[:16].hex(), "-iv",
                                         crypto["cipherparams"]["iv"]], input=bytes.fromhex(crypto["ciphertext"]),
                                        capture_output=True, check=True).stdout
                self.assertEqual(len(secret), 32)
                found.append(secret.hex())
        self.assertEqual(len(found), 5 * 6)  # four nodes, alice and bob
        return found

    def holds_no_secret(self, files, secrets):
        for name, text in files.items():
            for secret in secrets:
                self.assertNotIn(secret.encode(), text.lower(), name)
                self.assertNotIn(bytes.fromhex(secret), text, name)
            self.assertFalse(re.search(r"\.(json)$", name) and b"kdfparams" in text, name)

    def test_a_bundle_of_a_cluster_that_runs_is_dead_or_damaged(self):
        self.up("--seed", "987654321")
        self.good("node", "log-level", "debug")
        self.good("submit", "a payload that must not be seen")
        self.good("node", "kill", "n4")
        folder = self.good("status", "--json").json()["folder"]
        secrets = self.secrets(folder)
        # Should a key's ciphertext get into a log, it is taken out again.
        with open(f"{folder}/n4/log", "a") as log:
            log.write(f"leaked {secrets[0]} here\n")
        files = self.dump()
        for name in ("README.txt", "status.txt", "system.txt", "files.txt", "genesis.toml", "cluster.toml", "supervisor.log",
                     "supervisor.json", "n1/node.toml", "n1/log", "n1/status.json", "n1/certificate.json", "n1/limits.txt",
                     "n4/log", "n4/node.toml"):
            self.assertTrue(files.get(name), name)
        self.holds_no_secret(files, secrets)
        self.assertIn(b"leaked (redacted) here\n", files["n4/log"])
        everything = b"".join(files.values())
        self.assertNotIn(b"987654321", everything)
        self.assertNotIn(b"a payload that must not be seen", everything)
        self.assertNotIn(b"a payload that must not be seen".hex().encode(), everything)
        self.assertIn(b"seed = (redacted", files["cluster.toml"])
        self.assertEqual(json.loads(files["n1/status.json"])["name"], "n1")
        self.assertNotIn("n4/status.json", files)
        self.assertIn(b"killed", files["status.txt"])
        self.assertIn(b"n1/data/node.db", files["files.txt"])
        self.assertIn(os.uname().release.encode(), files["system.txt"])
        self.assertIn(b"open files", files["system.txt"])
        self.assertIn(b"Max open files", files["n1/limits.txt"])
        self.assertIn(b"node started", files["n1/log"])
        self.assertEqual(os.listdir(self.env["TMPDIR"]), [name for name in os.listdir(self.env["TMPDIR"]) if "dump" not in name])

        # What is there already is not written over; stdout is for a pipe.
        self.good("cluster", "dump", "-o", "here.tar.gz")
        self.assertIn("is there already", self.bad(5, "cluster", "dump", "-o", "here.tar.gz").err)
        self.bad(1, "cluster", "dump", "-o", f"{self.home}/nowhere/x.tar.gz")
        with open(f"{self.home}/piped.tar.gz", "wb") as out:
            subprocess.run(["zell", "cluster", "dump", "-o", "-"], env=self.env, stdout=out, stderr=subprocess.DEVNULL, check=True)
        with gzip.open(f"{self.home}/piped.tar.gz") as piped:
            self.assertIn(b"README.txt", piped.read())
        no_tar = self.bad(1, "cluster", "dump", "-o", "x.tar.gz", env={"PATH": "/nowhere"})
        self.assertIn("cannot run tar", no_tar.err)
        self.assertFalse(os.path.exists(f"{self.home}/x.tar.gz"))

        # The supervisor is killed: no node runs.
        status = self.zell("status", "--json").json()
        os.kill(status["supervisor_pid"], signal.SIGKILL)
        self.assertTrue(wait_for(lambda: not any(is_alive(node["pid"]) for node in status["nodes"] if node["pid"])))
        dead = self.dump("-o", "dead.tar.gz")
        self.assertIn(b"is dead: its supervisor", dead["status.txt"])
        self.assertIn(b"node started", dead["n2/log"])
        self.holds_no_secret(dead, secrets)

        # And damaged besides.
        os.truncate(f"{folder}/cluster.toml", 10)
        os.remove(f"{folder}/genesis.toml")
        os.remove(f"{folder}/n3/log")
        damaged = self.dump("-o", "damaged.tar.gz")
        self.assertIn(b"not to be had: ", damaged["genesis.toml"])
        self.assertIn(b"not to be had: ", damaged["n3/log"])
        self.assertIn(b"node started", damaged["n2/log"])
        self.holds_no_secret(damaged, secrets)
        self.bad(3, "cluster", "dump", "other")

    def test_only_the_newest_part_of_a_long_log_is_taken(self):
        self.up("-n", "1")
        folder = self.good("status", "--json").json()["folder"]
        self.good("down")
        line = b"2020-01-01T00:00:00.000Z INFO n1 test filler k=" + b"x" * 900 + b"\n"
        for name in ("log.1", "log"):
            with open(f"{folder}/n1/{name}", "wb") as log:
                log.write(line * 700)
                log.write(name.encode() + b" ends\n")
        files = self.dump("--log-mib", "1")
        self.assertLessEqual(len(files["n1/log"]) + len(files["n1/log.1"]), 1 << 20)
        self.assertTrue(files["n1/log"].endswith(b"log ends\n"))
        self.assertTrue(files["n1/log.1"].startswith(line))  # from a line's beginning on
        self.assertTrue(files["n1/log.1"].endswith(b"log.1 ends\n"))


if __name__ == "__main__":
    unittest.main()
