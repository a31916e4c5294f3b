"""zell cluster env and run: a cluster for a script or another program's tests, and nothing left of it."""

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import textwrap
import unittest

from harness import PATIENCE, ZELL, Case, is_alive, wait_for

NAMES = ["ZELL_CLUSTER", "ZELL_URL", "ZELL_URLS", "ZELL_GENESIS", "ZELL_CLUSTER_ID", "ZELL_DIR"]
PYTHON = os.path.realpath(sys.executable)
# What a command finds when it is run: its variables, a node that answers, a cluster that orders.
LOOK = """
    import json, os, subprocess, sys, urllib.request
    def get(url):
        with urllib.request.urlopen(url + "/v1/status", timeout=60) as answer:
            return json.load(answer)
    submitted = subprocess.run(["zell", "submit", "hello", "--json"], capture_output=True, text=True)
    print(json.dumps({
        "variables": {name: value for name, value in os.environ.items() if name.startswith("ZELL_")},
        "status": get(os.environ["ZELL_URL"]),
        "names": [get(url)["name"] for url in os.environ["ZELL_URLS"].split(",")],
        "submit": [submitted.returncode, submitted.stdout, submitted.stderr],
        "files": sorted(os.listdir(os.environ["ZELL_DIR"])),
        "genesis": open(os.environ["ZELL_GENESIS"]).read(),
    }))
"""
SHOW = "import json, sys; print(json.dumps(sys.argv[1:]))"


class ClusterCase(Case):
    def python(self, code, *words):
        return (PYTHON, "-c", textwrap.dedent(code), *words)

    def run_one(self, *words, options=("-n", "1"), **more):
        return self.zell("cluster", "run", *options, "--", *words, **more)

    def nothing_is_left(self):
        self.assertTrue(wait_for(lambda: self.pids_of_home() == [], 60), self.pids_of_home())
        self.assertEqual(self.zell("cluster", "ls", "--json").json(), {"schema": 1, "clusters": [], "damaged": []})
        folders = (self.env["TMPDIR"], self.env["XDG_STATE_HOME"], self.env["XDG_RUNTIME_DIR"])
        left = [os.path.join(at, name) for top in folders for at, _, names in os.walk(top) for name in names]
        self.assertEqual(left, [])
        self.assertEqual([name for top in folders for at, names, _ in os.walk(top) for name in names
                          if name.startswith("run-")], [])

    def ready(self, process):
        """The command's first line: it runs, and the cluster does."""
        line = process.stdout.readline()
        self.assertTrue(line.startswith("ready"), (line, process.poll()))
        return line.split()[1:]


class ClusterRun(ClusterCase):
    def test_the_command_has_a_cluster_and_its_variables(self):
        answer = self.run_one(*self.python(LOOK), options=("--seed", "7"))
        self.assertEqual((answer.code, answer.err), (0, ""), answer)
        seen = answer.json()
        variables = seen["variables"]
        self.assertEqual(sorted(variables), sorted(NAMES))
        self.assertEqual(seen["submit"][0], 0, seen["submit"])
        self.assertEqual(json.loads(seen["submit"][1].splitlines()[0])["schema"], 1)
        self.assertEqual(seen["names"], ["n1", "n2", "n3", "n4"])
        self.assertEqual(seen["status"]["name"], seen["status"]["leader"])
        self.assertEqual(seen["status"]["cluster_id"], variables["ZELL_CLUSTER_ID"])
        self.assertIn(variables["ZELL_URL"], variables["ZELL_URLS"].split(","))
        self.assertEqual(variables["ZELL_GENESIS"], variables["ZELL_DIR"] + "/genesis.toml")
        self.assertIn("genesis.toml", seen["files"])
        self.assertIn(variables["ZELL_CLUSTER"], seen["genesis"])
        self.nothing_is_left()

    def test_nodes_stakes_and_seed_are_those_asked_for(self):
        show = ("sh", "-c", "zell status --json && zell key show alice --json")
        keys = []
        for options in (("--stake", "3,1", "--seed", "5"), ("-n", "2", "--seed", "5")):
            answer = self.run_one(*show, options=options)
            self.assertEqual(answer.code, 0, answer)
            status, key = map(json.loads, answer.lines())
            self.assertEqual([node["stake"] for node in status["nodes"]], [3, 1] if "--stake" in options else [1, 1])
            keys.append(key["address"])
        self.assertEqual(keys[0], keys[1])

    def test_it_ends_with_the_code_of_the_command(self):
        for code in (0, 1, 2, 125, 255):
            answer = self.run_one("sh", "-c", f"exit {code}")
            self.assertEqual((answer.code, answer.out, answer.err), (code, "", ""))
        for name in ("KILL", "TERM", "INT"):
            answer = self.run_one(*self.python(f"""
                import os, signal
                signal.signal(signal.SIGINT, signal.SIG_DFL)
                os.kill(os.getpid(), signal.SIG{name})
            """))
            self.assertEqual((answer.code, answer.out), (128 + getattr(signal, f"SIG{name}"), ""), answer)
        self.nothing_is_left()

    def test_the_streams_are_the_commands(self):
        answer = self.run_one("sh", "-c", "cat; printf 'no end of line'; printf 'told' >&2", stdin="a\nb\n")
        self.assertEqual((answer.code, answer.out, answer.err), (0, "a\nb\nno end of line", "told"))
        # --json is zell's: it says nothing, so it has no document to print either.
        answer = self.run_one("cat", options=("-n", "1", "--json"), stdin="x")
        self.assertEqual((answer.code, answer.out, answer.err), (0, "x", ""))

    def test_words_after_the_dashes_are_untouched(self):
        words = ["--json", "-n", "7", "--help", "-h", "--", "[a,b]", "", " ", "{}", "a b", "--color=pink", "it's", "%", "é",
                 "cluster", "down", "--cluster", "dev", "-", "-x=1"]
        answer = self.run_one(PYTHON, "-c", SHOW, *words)
        self.assertEqual((answer.code, answer.err), (0, ""), answer)
        self.assertEqual(json.loads(answer.out), words)

    def test_what_zell_cannot_do_is_125(self):
        data = f"{self.home}/data.txt"
        with open(data, "w") as file:
            file.write("no program\n")
        script = f"{self.home}/script"
        with open(script, "w") as file:
            file.write("#!/no/such/interpreter\n")
        os.chmod(script, 0o700)
        for word, why in (("no-such-command", "error: there is no command 'no-such-command' in PATH"),
                          ("", "error: there is no command '' in PATH"),
                          ("./nothing", "error: cannot run ./nothing: No such file or directory"),
                          (data, f"error: {data} is not executable. try: chmod +x {data}"),
                          (self.home, f"error: {self.home} is a folder, not a command"),
                          (script, f"error: cannot run {script}: No such file or directory. is there the interpreter that "
                                   "its first line names?")):
            answer = self.run_one(word)
            self.assertEqual((answer.code, answer.out, answer.err), (125, "", why + "\n"), word)
        answer = self.run_one("no-such-command", options=("--json",))
        self.assertEqual((answer.code, answer.out), (125, ""))
        error = json.loads(answer.err)["error"]
        self.assertEqual((error["code"], error["exit"]), ("not-found", 125))
        late = self.run_one("true", options=("--timeout", "0s"))
        self.assertEqual((late.code, late.out), (125, ""), late)
        self.assertTrue(late.err.startswith("error: "), late)
        self.assertIn("try: zell up", late.err)
        # Where no cluster can be made.
        with open(f"{self.home}/file", "w"):
            pass
        answer = self.run_one("true", env={"TMPDIR": f"{self.home}/file"})
        self.assertEqual((answer.code, answer.out), (125, ""), answer)
        self.assertIn(f"{self.home}/file", answer.err)
        self.nothing_is_left()

    def test_usage_is_2(self):
        for words, why in (((), "say what to run after --"), (("--",), "say what to run after --"),
                           (("pytest", "-x"), "try: zell cluster run -- pytest"),
                           (("-n", "0", "--", "true"), "is not 1 to 31"),
                           (("-n", "3", "--stake", "1,1", "--", "true"), "there are 2 stakes for 3 nodes"),
                           (("--stake", "0", "--", "true"), "stake"), (("--sed", "1", "--", "true"), "did you mean --seed?"),
                           (("--cluster", "dev", "--", "true"), "makes a cluster of its own"),
                           (("--dir", "x", "--", "true"), "makes a cluster of its own"),
                           (("--stake", "--", "true"), "--stake")):
            answer = self.bad(2, "cluster", "run", *words)
            self.assertIn(why, answer.err, words)
            self.assertEqual(answer.out, "", words)
        text = self.good("cluster", "run", "--help").out
        self.assertIn("Usage: zell cluster run [OPTIONS] -- CMD [ARG...]\n", text)
        self.assertIn("125 if zell itself failed", text)
        self.nothing_is_left()

    def test_a_cluster_that_the_shell_has_chosen_is_not_in_the_way(self):
        answer = self.run_one("sh", "-c", "zell status --json", env={"ZELL_CLUSTER": "dev"})
        self.assertEqual(answer.code, 0, answer)
        self.assertTrue(answer.json()["cluster"].startswith("run-"), answer)

    def test_sigterm_is_passed_on_and_ctrl_c_is_the_commands(self):
        code = """
            import signal, sys
            numbers = {signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGTERM}
            # Waited for, not handled: a handler may come into the middle of a print(), or just before a pause().
            signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
            print("ready", flush=True)
            while True:
                number = signal.sigwait(numbers)
                print("told", int(number), flush=True)
                if number == signal.SIGTERM:
                    sys.exit(7)
        """
        process = self.start("cluster", "run", "-n", "1", "--", *self.python(code), start_new_session=True)
        self.ready(process)
        # As the terminal does it: all of the group are told, and the command goes on.
        for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGINT):
            os.killpg(process.pid, number)
            self.assertEqual(process.stdout.readline(), f"told {int(number)}\n")
        # Only to zell: it is not passed on, and harms nobody.
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGHUP)
        self.assertEqual(process.stdout.readline(), f"told {int(signal.SIGHUP)}\n")
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=PATIENCE)
        self.assertEqual((process.returncode, out, err), (7, f"told {int(signal.SIGTERM)}\n", ""))
        self.nothing_is_left()

    def test_ctrl_c_ends_a_command_that_does_not_mind_it(self):
        code = """
            import signal
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            print("ready", flush=True)
            signal.pause()
        """
        process = self.start("cluster", "run", "-n", "1", "--", *self.python(code), start_new_session=True)
        self.ready(process)
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=PATIENCE)
        self.assertEqual((process.returncode, out, err), (128 + signal.SIGINT, "", ""))
        self.nothing_is_left()

    def test_interrupted_before_the_command_runs(self):
        mark = f"{self.home}/ran"
        process = self.start("cluster", "run", "-n", "7", "--", "touch", mark)
        folder = f"{self.env['TMPDIR']}/zell-{os.getuid()}/clusters"
        self.assertTrue(wait_for(lambda: os.path.isdir(folder) and os.listdir(folder)))
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=PATIENCE)
        self.assertEqual((process.returncode, out), (130, ""), err)
        self.assertEqual(err, "error: interrupted before touch was started\n")
        self.assertFalse(os.path.exists(mark))
        self.nothing_is_left()

    def test_signals_that_were_ignored_stay_so(self):
        code = """
            import signal
            print([signal.getsignal(number) == signal.SIG_IGN for number in (signal.SIGHUP, signal.SIGQUIT, signal.SIGCHLD)],
                  signal.pthread_sigmask(signal.SIG_BLOCK, []))
        """
        def ignore():
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
            signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        process = self.start("cluster", "run", "-n", "1", "--", *self.python(code), preexec_fn=ignore)
        out, err = process.communicate(timeout=PATIENCE)
        self.assertEqual((process.returncode, out, err), (0, "[True, False, True] set()\n", ""))

    def test_nothing_survives_a_zell_that_is_killed(self):
        code = """
            import os, signal, sys
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            print("ready", os.getpid(), os.environ["ZELL_DIR"], flush=True)
            while True:
                signal.pause()
        """
        process = self.start("cluster", "run", "-n", "2", "--", *self.python(code))
        pid, folder = self.ready(process)
        self.assertTrue(os.path.isdir(folder))
        self.assertEqual(len([one for one in self.pids_of_home() if folder.encode() in self.words_of(one)]), 3)
        process.kill()
        process.wait()
        self.assertTrue(wait_for(lambda: not is_alive(int(pid)), 60))
        self.nothing_is_left()

    def words_of(self, pid):
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read()

    def test_a_command_may_do_to_its_cluster_what_it_likes(self):
        for act in ("zell node pause n2", "zell node kill leader", "zell down",
                    "kill -9 $(zell status --json | sed 's/.*\"supervisor_pid\":\\([0-9]*\\).*/\\1/')"):
            answer = self.run_one("sh", "-c", f"{act} > /dev/null 2>&1; exit 3", options=())
            self.assertEqual((answer.code, answer.out, answer.err), (3, "", ""), act)
        self.nothing_is_left()

    def test_it_leaves_no_descriptor_open_in_the_command(self):
        answer = self.run_one("sh", "-c", "ls /proc/$$/fd")
        self.assertEqual(set(answer.out.split()) - {"10", "255"}, {"0", "1", "2"}, answer)


class ClusterEnv(ClusterCase):
    def evaluated(self, *words):
        """What a real shell has after it."""
        shown = " ".join(f'"${name}"' for name in NAMES)
        script = f'eval "$({shlex.quote(ZELL)} {shlex.join(words)})" && env -0 | grep -z "^ZELL_" && set -- {shown}'
        done = subprocess.run(["/bin/sh", "-c", script], capture_output=True, text=True, env=self.env, timeout=PATIENCE)
        self.assertEqual((done.returncode, done.stderr), (0, ""), done)
        return dict(line.split("=", 1) for line in done.stdout.split("\0") if line)

    def test_a_shell_can_evaluate_it(self):
        self.up("-n", "4")
        variables = self.evaluated("cluster", "env")
        self.assertEqual(sorted(variables), sorted(NAMES))
        self.assertEqual(self.good("cluster", "env").lines()[0], "export ZELL_CLUSTER='dev'")
        document = self.good("cluster", "env", "dev", "--json").json()
        self.assertEqual(document, {"schema": 1, "cluster": "dev", "variables": variables})
        urls = [f"http://127.0.0.1:{self.base_port + k}" for k in range(1, 5)]
        self.assertEqual(variables["ZELL_URLS"].split(","), urls)
        leader = self.good("status", "--json").json()["leader"]
        self.assertEqual(variables["ZELL_URL"], urls[int(leader[1:]) - 1])
        self.assertTrue(os.path.isfile(variables["ZELL_GENESIS"]))
        # Another leads: it is the one to talk to.
        self.good("node", "kill", leader)
        after = self.evaluated("cluster", "env")
        leader = self.good("status", "--json").json()["leader"]
        self.assertEqual(after["ZELL_URL"], urls[int(leader[1:]) - 1])
        self.assertEqual(after["ZELL_CLUSTER_ID"], variables["ZELL_CLUSTER_ID"])
        # Nobody leads, some serve.
        self.good("node", "kill", leader, "--no-wait")
        self.good("node", "kill", "f", "--no-wait")
        url = self.evaluated("cluster", "env")["ZELL_URL"]
        self.assertIn(url, [node["api"] for node in self.zell("status", "--json").json()["nodes"] if node["pid"]])
        self.good("node", "kill", "all", "--no-wait")
        self.assertIn("no node of cluster dev serves", self.bad(3, "cluster", "env").err)

    def test_fish_has_its_own_quotes(self):
        folder = f"{self.home}/it's \\ here"
        self.up("-n", "1", "--dir", folder)
        lines = self.good("cluster", "env", "--shell", "fish", "--dir", folder).lines()
        self.assertEqual(lines[0], "set -gx ZELL_CLUSTER 'dev';")
        quoted = folder.replace("\\", "\\\\").replace("'", "\\'")
        self.assertEqual(lines[5], f"set -gx ZELL_DIR '{quoted}';")
        if shutil.which("fish"):
            done = subprocess.run(["fish", "-c", "\n".join(lines) + "\necho -n $ZELL_DIR"], capture_output=True, text=True)
            self.assertEqual(done.stdout, folder)
        self.assertEqual(self.evaluated("cluster", "env", "--dir", folder)["ZELL_DIR"], folder)
        self.good("down", "--dir", folder)

    def test_none_there_or_none_runs_is_3(self):
        for words in (("cluster", "env"), ("cluster", "env", "nobody")):
            answer = self.bad(3, *words)
            self.assertEqual(answer.out, "")
            self.assertIn("try: zell up", answer.err)
        self.up("-n", "1")
        self.good("down")
        answer = self.bad(3, "cluster", "env")
        self.assertEqual((answer.out, answer.err), ("", "error: cluster dev is stopped. try: zell up dev\n"))
        self.assertEqual(self.bad(3, "cluster", "env", "--json").json()["error"]["code"], "not-running")
        self.assertIn("did you mean fish?", self.bad(2, "cluster", "env", "--shell", "fisch").err)


class AwkwardHome(ClusterCase):
    """Spaces, quotes and what a shell would expand, in every path."""

    def setUp(self):
        super().setUp()
        for variable in ("HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR", "TMPDIR"):
            self.env[variable] = os.path.join(self.home, "a b's \"c\" $HOME `x`", os.path.basename(self.env[variable]))
            os.makedirs(self.env[variable], 0o700)

    def test_env_and_run(self):
        self.up("-n", "1")
        variables = ClusterEnv.evaluated(self, "cluster", "env")
        self.assertEqual(variables["ZELL_DIR"], f"{self.env['XDG_STATE_HOME']}/zell/clusters/dev")
        self.assertTrue(os.path.isfile(variables["ZELL_GENESIS"]))
        answer = self.run_one(*self.python(LOOK))
        self.assertEqual(answer.code, 0, answer)
        seen = answer.json()
        self.assertTrue(seen["variables"]["ZELL_DIR"].startswith(self.env["TMPDIR"]), seen["variables"])
        self.assertEqual(seen["submit"][0], 0, seen["submit"])
        self.good("cluster", "rm", "dev", "--force")
        self.nothing_is_left()


if __name__ == "__main__":
    unittest.main()
