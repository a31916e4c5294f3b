"""Damaged data folders and configurations, and clusters that are dead: what, why, what to do, the right exit code; the
rest of the cluster goes on, and nothing final is lost."""

import json
import os
import random
import shutil
import signal
import unittest

from harness import Case, free_base_port, is_alive, wait_for

SEED = int(os.environ.get("ZELL_SEED", str(random.randrange(1 << 31))))


class Damage(Case):
    def log(self):
        return [json.loads(line) for line in self.good("log", "--json").lines()]

    def folder(self):
        return self.good("cluster", "ls", "--json").json()["clusters"][0]["folder"]

    def n4_refuses(self, says):
        answer = self.bad(1, "node", "start", "n4")
        self.assertIn("n4 ended with code 1 while starting: ", answer.err)
        self.assertIn(says, answer.err)
        self.assertIn("node.db", answer.err)
        self.assertIn("try: zell node logs n4", answer.err)
        self.assertEqual(self.node("n4")["state"], "exited (1)")
        self.good("submit", "goes on")

    def test_a_damaged_or_foreign_data_folder(self):
        print(f"ZELL_SEED={SEED}", flush=True)
        chance = random.Random(SEED)
        self.up()
        self.good("submit", "--lines", "-", stdin="".join(f"{k}\n" for k in range(500)))
        self.good("up", "other", "-n", "4", "--base-port", str(free_base_port()))
        self.good("down", "other")
        kept = self.log()
        folder = self.folder()
        mine, other = f"{folder}/n4/data", f"{os.path.dirname(folder)}/other/n4/data"
        self.good("node", "stop", "n4")
        shutil.copytree(mine, f"{self.home}/saved")
        size = os.path.getsize(f"{mine}/node.db")

        def truncate():
            os.truncate(f"{mine}/node.db", chance.randrange(1, size - 4096))

        def overwrite():
            # A page at the start: what is in it is needed before anything else.
            with open(f"{mine}/node.db", "r+b") as file:
                file.seek(4096 * chance.randrange(0, 2))
                file.write(chance.randbytes(4096))

        def empty():
            os.truncate(f"{mine}/node.db", 0)

        def garbage():
            with open(f"{mine}/node.db", "wb") as file:
                file.write(chance.randbytes(size))

        def of_another_node():
            shutil.copy(f"{folder}/n3/data/node.db", f"{mine}/node.db")

        def of_another_cluster():
            shutil.copy(f"{other}/node.db", f"{mine}/node.db")

        for damage, says in ((truncate, "start the node again"), (overwrite, "start the node again"),
                             (empty, "start the node again"), (garbage, "start the node again"),
                             (of_another_node, "belongs to member"), (of_another_cluster, "belongs to cluster")):
            with self.subTest(damage=damage.__name__):
                try:
                    damage()
                    self.n4_refuses(says)
                finally:
                    shutil.rmtree(mine)
                    shutil.copytree(f"{self.home}/saved", mine)
        # The very state that it stopped with; it has voted for nothing since.
        self.good("node", "start", "n4")
        self.assertEqual(self.log()[:len(kept)], kept)
        self.assertIn("4 nodes agree", self.good("verify").out)

    def test_a_data_folder_that_is_gone(self):
        self.up()
        self.good("submit", "kept")
        self.good("node", "stop", "n4")
        shutil.rmtree(f"{self.folder()}/n4/data")
        start = self.good("node", "start", "n4")
        self.assertIn("n4 lost its vote state", start.err)
        self.assertEqual(self.node("n4")["state"], "learner")
        # What to do is said as soon as the others told n4 which views it signed in.
        self.assertTrue(wait_for(lambda: "zell challenge --by f+1" in self.good("status").err))
        self.assertIn("n4 lost its vote state", self.good("status").err)
        self.good("challenge", "--by", "f+1")
        self.assertTrue(wait_for(lambda: self.node("n4")["state"] == "up"))
        self.assertIn("4 nodes agree", self.good("verify").out)

    def refuses_to_start(self, folder, says):
        run = ("node", "run", "--config", f"{folder}/n1/node.toml")
        answer = self.bad(2, *run, timeout=30)
        self.assertRegex(answer.err, r"^error: .*(node\.toml|genesis)")
        self.assertIn(says, answer.err)
        document = self.bad(2, *run, "--json").json()
        self.assertTrue(document["error"]["reason"] and document["error"]["hint"], document)
        up = self.zell("up")  # 2 when it can't read the genesis itself, 3 when a node ended
        self.assertIn(up.code, (2, 3), up)
        self.assertIn(says, up.err)
        self.zell("down")

    def test_bad_configurations(self):
        self.up("-n", "2")
        folder = self.folder()
        self.good("down")
        api, peer = self.base_port + 1, self.base_port + 52
        for file, before, after, says in (
                ("n1/node.toml", "[listen]", "[lissten]", 'did you mean "listen"?'),
                ("n1/node.toml", f"port = {api}", "port = 0", "port"),
                ("n1/node.toml", f"port = {api}", "port = 70000", "port"),
                ("n1/node.toml", 'name = "n1"', 'name = "n9"', "n9"),
                ("n1/node.toml", "schema = 1", "schema 1", "node.toml:1: "),
                ("genesis.toml", "stake = 1", "stake = 0", "stake"),
                ("genesis.toml", "stake = 1", "stake = -1", "stake"),
                ("genesis.toml", "stake = 1", "steak = 1", 'did you mean "stake"?'),
                ("genesis.toml", 'name = "n2"', 'name = "n1"', "n1"),
                ("genesis.toml", f"127.0.0.1:{peer}", "127.0.0.1:99999", "99999")):
            with self.subTest(file=file, after=after):
                with open(f"{folder}/{file}") as whole:
                    text = whole.read()
                self.assertIn(before, text)
                try:
                    with open(f"{folder}/{file}", "w") as broken:
                        broken.write(text.replace(before, after, 1))
                    self.refuses_to_start(folder, says)
                finally:
                    with open(f"{folder}/{file}", "w") as mended:
                        mended.write(text)
        self.good("up")
        self.good("submit", "x")

    def test_a_cluster_that_is_dead(self):
        self.up()
        self.good("submit", "kept")
        status = self.good("status", "--json").json()
        os.kill(status["supervisor_pid"], signal.SIGKILL)
        self.assertTrue(wait_for(lambda: not any(is_alive(node["pid"]) for node in status["nodes"])))
        for words in (("status",), ("down",), ("submit", "x"), ("log",), ("log", "-f"), ("verify",),
                      ("challenge", "--by", "f+1"), ("node", "kill", "leader"), ("node", "start", "all"),
                      ("cluster", "wait")):
            answer = self.bad(3, *words)
            self.assertIn(f"cluster dev is dead: its supervisor (pid {status['supervisor_pid']}) was killed", answer.err)
            self.assertIn("try: zell up dev", answer.err, words)
            self.assertEqual(self.bad(3, *words, "--json").json()["error"]["code"], "not-running")
        self.good("node", "logs")  # what they said last can still be read
        self.good("key", "show", "alice")
        self.good("up")
        self.assertIn("kept", self.good("log").out)
        self.good("verify")

    def test_a_cluster_whose_folder_is_damaged(self):
        self.up("-n", "1")
        folder = self.folder()
        self.good("down")
        os.truncate(f"{folder}/cluster.toml", 20)
        for words in (("status",), ("submit", "x"), ("status", "dev"), ("log",)):
            answer = self.bad(1, *words)
            self.assertIn("cluster.toml", answer.err)
            self.assertIn("zell cluster rm dev", answer.err)
        listed = self.bad(1, "cluster", "ls")
        self.assertIn("damaged", listed.out)
        self.assertEqual(self.bad(1, "cluster", "ls", "--json").json()["damaged"][0]["name"], "dev")
        os.remove(f"{folder}/cluster.toml")
        self.assertIn("zell cluster rm dev", self.bad(5, "up").err)
        self.good("cluster", "rm", "dev")
        self.assertFalse(os.path.exists(folder))
        # Not anybody's folder: only one that is a cluster's.
        os.mkdir(f"{self.home}/precious")
        self.bad(3, "cluster", "rm", "--dir", f"{self.home}/precious", "--force")
        self.assertTrue(os.path.exists(f"{self.home}/precious"))

    def test_a_broken_key_among_good_ones(self):
        self.up("-n", "1")
        self.good("key", "new", "carol", "--dev")
        keys = os.path.dirname(self.good("key", "show", "carol", "--json").json()["file"])
        with open(f"{keys}/broken.json", "w") as file:
            file.write("{")
        os.chmod(f"{keys}/broken.json", 0o600)
        answer = self.bad(1, "key", "ls")
        self.assertEqual([line.split()[0] for line in answer.lines()], ["NAME", "alice", "bob", "carol"])
        self.assertIn("broken.json", answer.err)
        document = self.bad(1, "key", "ls", "--json").json()
        self.assertEqual(([key["name"] for key in document["keys"]], document["broken"][0]["name"]),
                         (["alice", "bob", "carol"], "broken"))
        self.good("submit", "x", "--as", "carol")
        self.assertIn("broken.json", self.bad(1, "submit", "x", "--as", "broken").err)
        self.assertIn("carol", self.good("log", "--tail", "1").out)


if __name__ == "__main__":
    unittest.main()
