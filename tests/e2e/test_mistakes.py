"""Mistakes: always what, why, what to do, and the right exit code. Nothing final is lost."""

import json
import os
import socket
import subprocess
import unittest

from harness import ZELL, Case, free_base_port


class Mistakes(Case):
    def test_no_cluster(self):
        for words in (("status",), ("down",), ("submit", "x"), ("log",), ("verify",), ("challenge", "--by", "f+1"),
                      ("node", "kill", "leader"), ("cluster", "wait")):
            answer = self.bad(3, *words)
            self.assertEqual(answer.err, "error: there is no cluster. try: zell up\n", words)
            document = self.bad(3, *words, "--json").json()
            self.assertEqual((document["schema"], document["error"]["code"], document["error"]["exit"]),
                             (1, "no-cluster", 3))

    def test_two_clusters(self):
        self.up("one", "-n", "1")
        self.good("up", "two", "-n", "1", "--base-port", str(free_base_port()))
        answer = self.bad(2, "status")
        self.assertIn("there are 2 clusters: one, two", answer.err)
        self.assertIn("--cluster one", answer.err)
        self.good("status", "--cluster", "two")
        self.good("status", "two")
        self.good("status", env={"ZELL_CLUSTER": "one"})
        self.good("down", "one")
        self.assertEqual(self.good("status", "--json").json()["cluster"], "two")

    def test_words_that_are_nearly_right(self):
        for words, near in ((("stauts",), "status"), (("cluster", "lst"), "ls"), (("node", "kil", "n1"), "kill"),
                            (("up", "--ephemerel"), "--ephemeral"), (("submit", "x", "--wiat", "locked"), "--wait"),
                            (("submit", "x", "--wait", "finalized"), "finalised"), (("log", "--jsno"), "--json")):
            answer = self.bad(2, *words)
            self.assertIn(f"did you mean {near}?", answer.err, words)

    def test_usage(self):
        for words in ((), ("cluster",), ("submit",), ("submit", "x", "--lines", "-"), ("log", "--tail", "x"),
                      ("log", "--from", "0"), ("log", "--tail", "1", "--from", "2"), ("up", "-n", "0"), ("up", "-n", "32"),
                      ("up", "--stake", "3,0,1"), ("up", "--stake", "1,1", "-n", "4"), ("up", "Dev"), ("up", "../x"),
                      ("up", "--base-port", "80"), ("up", "--timeout", "soon"), ("key", "new", "../x", "--dev"),
                      ("challenge",), ("node", "kill"), ("node", "run"), ("down", "a", "b"), ("cluster", "rm"),
                      ("status", "--color", "pink")):
            answer = self.bad(2, *words)
            self.assertTrue(answer.err.startswith("error: "), (words, answer))
            self.assertEqual(answer.out, "", words)
        self.assertEqual(os.listdir(self.env["XDG_STATE_HOME"]), [])

    def test_arguments_are_taken_as_they_are(self):
        self.up("-n", "1")
        words = ["[a,b]", "{}", "[]", "", " ", "a,b", '"quoted"', "%%", "[", "x=y", "é", "-"]
        self.good("submit", *words)
        self.good("submit", "--app", "other", "--", "--json", "-n", "--", "[e,f]")
        self.assertIn("no sender is called '[c'", self.bad(3, "log", "--sender", "[c,d]").err)  # lists take commas
        log = [json.loads(line) for line in self.good("log", "--json").lines()]
        data = [bytes.fromhex(entry["payloads"][0][2:]).decode() for entry in log if entry["app"] != "zell"]
        self.assertEqual(data, words + ["--json", "-n", "--", "[e,f]"])
        self.assertEqual([entry["app"] for entry in log][-1], "other")
        self.assertEqual(self.bad(1, "submit", "x", "--app", "[c,d]", "--json").json()["reason"], "bad-app")

    def test_an_option_is_given_once(self):
        self.assertIn("--app is given twice", self.bad(2, "submit", "x", "--app", "a", "--app=b").err)
        self.assertIn("-n,--nodes", self.bad(2, "up", "-n", "x").err)
        self.assertIn("--ephemeral takes no value", self.bad(2, "up", "--ephemeral=yes").err)
        self.assertIn("--app needs a value: APP", self.bad(2, "submit", "x", "--app").err)

    def test_names_that_nobody_has(self):
        self.up()
        selector = self.bad(2, "node", "kill", "leadr")
        self.assertIn("did you mean leader?", selector.err)
        self.bad(2, "node", "kill", "n9")
        self.bad(3, "node", "kill", "followers:9")
        self.assertIn("did you mean n3?", self.bad(3, "submit", "x", "--to", "n33").err)
        self.assertIn("did you mean alice?", self.bad(3, "submit", "x", "--as", "alise").err)
        self.bad(3, "log", "--sender", "nobody")
        self.bad(3, "status", "other")
        self.bad(3, "submit", "--file", "nowhere")
        self.assertEqual(self.bad(1, "submit", "x", "--app", "Not An App", "--json").json()["state"], "refused")
        self.good("submit", "still here")

    def test_a_port_that_somebody_has(self):
        with socket.socket() as other:
            other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # an earlier test's connections may linger
            other.bind(("127.0.0.1", self.base_port + 2))
            other.listen()
            answer = self.bad(5, "up", "--base-port", str(self.base_port))
            self.assertIn(f"port {self.base_port + 2} is used by python3 (pid {os.getpid()})", answer.err)
            self.assertIn(f"try: zell up --base-port {self.base_port + 100}", answer.err)
            self.assertEqual(self.good("cluster", "ls", "--json").json()["clusters"], [])
        self.up()
        self.good("down")
        with socket.socket() as other:
            other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            other.bind(("127.0.0.1", self.base_port + 51))
            other.listen()
            answer = self.bad(5, "up")
            self.assertIn(f"port {self.base_port + 51} is used by", answer.err)
        self.good("up")

    def test_up_does_not_ignore_other_flags(self):
        self.up("-n", "1", "--seed", "1")
        for words in (("-n", "4"), ("--seed", "2"), ("--stake", "2"), ("--base-port", "9100"), ("--ephemeral",)):
            answer = self.bad(5, "up", *words)
            self.assertIn("is not what you ask for", answer.err)
        same = self.good("up", "-n", "1", "--seed", "1", "--base-port", str(self.base_port))
        self.assertIn("dev was up already", same.out)
        self.bad(5, "cluster", "rm", "dev")

    def test_two_supervisors_and_two_nodes_on_the_same_data(self):
        self.up("-n", "1")
        folder = self.good("status", "--json").json()["folder"]
        second = self.zell("cluster", "supervise", "--dir", folder)
        self.assertEqual(second.code, 5, second)
        self.assertIn("another supervisor", second.err)
        node = self.zell("node", "run", "--config", f"{folder}/n1/node.toml", timeout=30)
        self.assertEqual(node.code, 5, node)
        self.good("submit", "x")

    def test_damaged_files(self):
        self.up("-n", "1")
        folder = self.good("status", "--json").json()["folder"]
        self.good("down")
        with open(f"{folder}/cluster.toml") as file:
            whole = file.read()
        for before, after, says in (("schema = 1", "schema = 9", "schema"), ("base_port", "base_prot", "base_prot"),
                                    ('stake = "1"', 'stake = "0"', "stake"), ("[[node]]", "[[node", "cluster.toml")):
            with open(f"{folder}/cluster.toml", "w") as file:
                file.write(whole.replace(before, after))
            answer = self.zell("up", "dev")
            self.assertNotEqual(answer.code, 0)
            self.assertIn(says, answer.err)
        with open(f"{folder}/cluster.toml", "w") as file:
            file.write(whole)
        with open(f"{folder}/n1/node.toml", "a") as file:
            file.write("\nunknown_key = 1\n")
        answer = self.zell("up")
        self.assertNotEqual(answer.code, 0)
        self.assertIn("n1 ended with code", answer.err)
        self.assertIn("try: zell node logs n1", answer.err)
        self.assertIn("unknown_key", self.good("node", "logs", "n1").out)

    def test_keys_that_others_may_read(self):
        self.good("key", "new", "carol", "--dev")
        path = self.good("key", "show", "carol", "--json").json()["file"]
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
        self.bad(5, "key", "new", "carol", "--dev")
        os.chmod(path, 0o644)
        self.up("-n", "1")
        answer = self.zell("submit", "x", "--as", "carol")
        self.assertEqual(answer.code, 2, answer)
        self.assertIn("try: chmod", answer.err)
        os.chmod(path, 0o600)
        self.good("submit", "x", "--as", "carol")

    def test_a_key_with_a_passphrase(self):
        secret = f"{self.home}/secret"
        with open(secret, "w") as file:
            file.write("open sesame\n")
        self.bad(2, "key", "new", "dave", "--password-file", "secret")  # others may read it
        os.chmod(secret, 0o600)
        self.good("key", "new", "dave", "--password-file", "secret")
        # Without a terminal nobody can be asked. (A session of its own: the test may have one.)
        alone = subprocess.run([ZELL, "key", "new", "erin"], env=self.env, capture_output=True, text=True,
                               stdin=subprocess.DEVNULL, start_new_session=True, timeout=60)
        self.assertEqual(alone.returncode, 2, alone)
        self.up("-n", "1")
        self.good("submit", "x", "--as", "dave", "--password-file", "secret")
        with open(secret, "w") as file:
            file.write("wrong\n")
        self.bad(1, "submit", "x", "--as", "dave", "--password-file", "secret")

    def test_colour_only_where_it_is_wanted(self):
        self.up("-n", "1")
        escape = "\033["
        self.assertNotIn(escape, self.good("status").out)
        self.assertIn(escape, self.good("status", "--color", "always").out)
        self.assertIn(escape, self.good("status", env={"FORCE_COLOR": "1"}).out)
        self.assertNotIn(escape, self.good("status", env={"FORCE_COLOR": "1", "NO_COLOR": "1"}).out)
        self.assertNotIn(escape, self.good("status", "--color", "never", env={"FORCE_COLOR": "1"}).out)

    def test_what_a_terminal_could_be_harmed_by_is_not_printed(self):
        self.up("-n", "1")
        self.good("submit", "\033[31mred\u009b")
        row = self.good("log", "--tail", "1").lines()[1]
        self.assertNotIn("\033", row)
        self.assertIn("0x1b5b33316d726564", row)
        entry = json.loads(self.good("log", "--tail", "1", "--json").out)
        self.assertNotIn("text", entry)


if __name__ == "__main__":
    unittest.main()
