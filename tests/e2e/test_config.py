"""Configuration: who wins, what is refused, and that what is printed can be read again."""

import json
import os
import random
import subprocess
import unittest

from harness import Case


class Config(Case):
    def setUp(self):
        super().setUp()
        self.user_file = f"{self.env['XDG_CONFIG_HOME']}/zell/config.toml"
        self.project_file = f"{self.home}/zell.toml"

    def tearDown(self):
        for file in (self.user_file, self.project_file):
            if os.path.lexists(file):
                os.remove(file)
        super().tearDown()

    def write(self, file, text):
        os.makedirs(os.path.dirname(file), mode=0o700, exist_ok=True)
        with open(file, "w") as out:
            out.write(text)

    def settings(self, *words, **more):
        document = self.good(*words, "config", "show", "--json", **more).json()
        return {one["key"]: (one["value"], one["origin"], one["where"]) for one in document["settings"]}

    def test_flag_over_environment_over_project_over_user_over_default(self):
        self.assertEqual(self.settings(), {})
        self.assertIn('# wait = "finalised"\n', self.good("config", "show", "--all").out)
        self.write(self.user_file, 'schema = 1\ncluster = "a"\ncolor = "never"\n[up]\nnodes = 2\ntimeout = 60\n')
        self.assertEqual(self.settings(), {"cluster": ("a", "user", f"{self.user_file}:2"), "color": ("never", "user", f"{self.user_file}:3"),
                                           "up.nodes": ("2", "user", f"{self.user_file}:5"),
                                           "up.timeout": ("60", "user", f"{self.user_file}:6")})
        self.write(self.project_file, 'schema = 1\ncluster = "b"\n[up]\nnodes = 3\n')
        self.assertEqual(self.settings()["cluster"], ("b", "project", f"{self.project_file}:2"))
        environment = {"ZELL_CLUSTER": "c", "ZELL_UP_NODES": "1", "ZELL_UP_TIMEOUT": ""}
        set_by = self.settings(env=environment)
        self.assertEqual(set_by["cluster"], ("c", "environment", "ZELL_CLUSTER"))
        self.assertEqual(set_by["up.timeout"], ("60", "user", f"{self.user_file}:6"))
        self.assertEqual(self.settings("--cluster", "d", env=environment)["cluster"], ("d", "flag", "--cluster"))
        text = self.good("config", "show", "--origin", env=environment).out
        self.assertIn("nodes = 1  # ZELL_UP_NODES\n", text)
        self.assertIn(f'color = "never"  # {self.user_file}:3\n', text)
        # What is set is done, by each of the two names of the command.
        for words, name in ((("up",), "b"), (("cluster", "up"), "b"), (("up", "--cluster", "d"), "d")):
            made = self.good(*words, "--json", "--base-port", str(self.base_port)).json()
            self.assertEqual((made["cluster"], len(made["nodes"])), (name, 3), words)
            self.good("cluster", "rm", name, "--force")
        self.assertEqual(len(self.up("-n", "1", "--json").json()["nodes"]), 1)
        self.assertEqual(len(self.good("status", "--json").json()["nodes"]), 1)

    def test_the_projects_file_is_looked_for_upwards_as_far_as_home(self):
        inner = f"{self.env['HOME']}/a/b"
        os.makedirs(inner)
        self.write(f"{self.env['HOME']}/zell.toml", 'schema = 1\ncluster = "home"\n')
        self.write(self.project_file, 'schema = 1\ncluster = "above-home"\n')
        def cluster_in(folder):
            script = f"cd '{folder}' && exec zell config show --json"
            return self.shell(script)["settings"]
        self.assertEqual(cluster_in(inner)[0]["value"], "home")
        self.write(f"{self.env['HOME']}/a/zell.toml", 'schema = 1\ncluster = "near"\n')
        self.assertEqual(cluster_in(inner)[0]["value"], "near")
        self.assertEqual(cluster_in(self.env["HOME"])[0]["value"], "home")
        os.remove(f"{self.env['HOME']}/zell.toml")
        self.assertEqual(cluster_in(self.env["HOME"]), [])

    def shell(self, script):
        done = subprocess.run(["/bin/sh", "-c", script], capture_output=True, text=True, env=self.env, check=True)
        return json.loads(done.stdout)

    def test_a_newer_file_is_not_guessed_at(self):
        self.write(self.project_file, "schema = 2\nwhatever = 1\n")
        self.assertIn(":1: schema = 2 is newer than this build knows", self.bad(1, "cluster", "ls").err)

    def test_mistakes_name_file_and_line(self):
        for text, where in (
                ("[up]\nnodes = 7\n", ":1: schema is missing"),
                ("schema = 1\n[up]\nnods = 7\n", ':3: unknown key "nods" in [up]. did you mean "nodes"?'),
                ("schema = 1\n[upp]\nnodes = 7\n", ':2: unknown key "upp" in the file. did you mean "up"?'),
                ("schema = 1\n[cluster.up]\nnodes = 7\n", ":2: "), ("schema = 1\n[node.kill]\nforce = true\n", ":3: unknown key"),
                ("schema = 1\ndir = '/x'\n", ":2: unknown key"), ("schema = 1\nhelp = true\n", ":2: unknown key"),
                ("schema = 1\n[cluster.rm]\nforce = true\n", ":2: unknown key"),
                ("schema = 1\n[key.new]\ndev = true\n", ":2: unknown key"), ("schema = 1\n[cluster.supervise]\nx = 1\n", ":2: unknown key"),
                ("schema = 1\n[up]\nephemeral = 1\n", ":3: ephemeral must be true or false"),
                ("schema = 1\n[up]\nnodes = 1.5\n", ":3: nodes must be a whole number"),
                ("schema = 1\n[up]\nnodes = [1]\n", ":3: nodes must be"), ("schema = 1\nup = 3\n", ":2: up must be a table"),
                ("schema = 1\n[up]\nnodes = {a = 1}\n", ":3: nodes must be"),
                ("schema = 1\n[up]\nnodes = 77\n", ":3: -n,--nodes: 77 is not 1 to 31"),
                ("schema = 1\n[up]\nnodes = -1\n", ":3: -n,--nodes: '-1' is no whole number"),
                ("schema = 1\n[up]\ntimeout = 'soon'\n", ":3: --timeout: 'soon' is no time"),
                ("schema = 1\ncolor = 'pink'\n", ":2: --color: 'pink' is not known"), ("schema = 1\n]\n", ":2: ")):
            self.write(self.project_file, text)
            for words in (("up",), ("config", "show")):
                answer = self.bad(1 if "newer" in where else 2, *words)
                self.assertEqual(answer.out, "", (text, answer))
                self.assertIn(f"error: {self.project_file}{where}", answer.err, text)
            self.assertIn(self.project_file, self.zell("up", "--json").json()["error"]["reason"])
            self.good("--help")
            self.good("up", "--help")
            self.good("completion", "bash")
            self.assertEqual(self.bad(1, "doctor", "--json").json()["fail"] > 0, True)
        # Typed, it is not read; of another command, neither.
        self.write(self.project_file, "schema = 1\n[up]\nnodes = 77\n")
        self.good("cluster", "ls")
        self.up("-n", "1")
        os.remove(self.project_file)
        self.assertIn("ZELL_UP_NODES: -n,--nodes: 'x' is no whole number", self.bad(2, "up", env={"ZELL_UP_NODES": "x"}).err)
        self.assertIn("is not true or false", self.bad(2, "up", env={"ZELL_UP_EPHEMERAL": "maybe"}).err)
        self.assertIn("did you mean ZELL_UP_NODES?", self.good("config", "show", env={"ZELL_UP_NODE": "7"}).err)

    def test_an_option_with_the_name_of_a_command_is_written_with_its_dashes(self):
        self.write(self.project_file, 'schema = 1\n--cluster = "a"\n[cluster.run]\nnodes = 3\n[bench]\n--limits = true\n'
                                      '[bench.limits]\nrounds = 2\n')
        values = {key: one[0] for key, one in self.settings().items()}
        self.assertEqual(values, {"cluster": "a", "cluster.run.nodes": "3", "bench.limits": True, "bench.limits.rounds": "2"})
        self.assertIn('--cluster = "a"\n', self.good("config", "show").out)
        self.write(self.project_file, 'schema = 1\ncluster = "a"\n--cluster = "b"\n')
        self.assertIn("cluster is set twice", self.bad(2, "status").err)

    def test_what_is_typed_stays(self):
        self.write(self.project_file, "schema = 1\njson = false\ncolor = 'always'\n[up]\nnodes = 2\n")
        self.assertEqual(self.settings()["json"][0], False)
        self.assertNotIn("\x1b", self.good("doctor", "--color", "never").out)
        self.assertEqual(self.good("doctor", "--json").json()["fail"], 0)

    def test_what_is_set_gives_way_to_what_is_typed_beside_it(self):
        # Each of these would be a usage error (exit 2) if both were typed.
        self.write(self.project_file, 'schema = 1\n[up]\nstake = "3,1"\nnodes = 2\n[log]\ntail = 1\n[submit]\napp = "set"\n'
                   '[verify]\nsignatures = true\n')
        self.good("up", "-n", "1", "--base-port", str(self.base_port))
        self.good("submit", "a", "b", "c")
        self.assertEqual([row["app"] for row in map(json.loads, self.good("log", "--json").lines())], ["set"])
        rows = [json.loads(line) for line in self.good("log", "--from", "2", "--to", "3", "--json").lines()]
        self.assertEqual([row["index"] for row in rows], [2, 3])
        self.good("sign", "d", "-o", f"{self.home}/signed")
        self.good("submit", "--signed", f"{self.home}/signed")
        self.good("prove", "2", "-o", f"{self.home}/proof")
        self.good("verify", "--proof", f"{self.home}/proof")
        genesis = f"{self.good('status', '--json').json()['folder']}/genesis.toml"
        self.write(self.user_file, f"schema = 1\n[verify]\ngenesis = '{genesis}'\n")
        self.good("verify")
        self.good("verify", "--proof", f"{self.home}/proof")

    def test_no_file_says_which_cluster_is_removed(self):
        self.write(self.project_file, 'schema = 1\ncluster = "dev"\n')
        self.up("-n", "1")
        self.good("down")
        self.assertEqual(self.zell("cluster", "rm").code, 2)
        self.assertEqual(self.zell("cluster", "rm", env={"ZELL_CLUSTER": "dev"}).code, 2)
        self.good("cluster", "rm", "--cluster", "dev")

    def test_a_projects_file_names_no_files(self):
        for table, key, value in (("submit", "file", "/etc/passwd"), ("submit", "lines", "/etc/passwd"), ("submit", "password-file", "x"),
                                  ("submit", "as", "./key.json"), ("bench", "csv", "x"), ("bench.html", "out", "x")):
            self.write(self.project_file, f"schema = 1\n[{table}]\n{key} = '{value}'\n")
            answer = self.bad(2, "submit", "x")
            self.assertIn(f":3: {table}.{key} names a file", answer.err)
            os.remove(self.project_file)
            self.write(self.user_file, f"schema = 1\n[{table}]\n{key} = '{value}'\n")
            self.assertEqual(self.settings()[f"{table}.{key}"][:2], (value, "user"))
            os.remove(self.user_file)
        self.write(self.project_file, "schema = 1\n[submit]\nas = 'bob'\n")
        self.up("-n", "1")
        self.good("submit", "x")
        self.assertIn('"sender":"bob"', self.good("log", "--json", "--tail", "1").out)

    def test_what_others_may_write_is_not_believed(self):
        self.write(self.project_file, "schema = 1\ncluster = 'theirs'\n")
        os.chmod(self.project_file, 0o666)
        answer = self.good("config", "show")
        self.assertNotIn("theirs", answer.out)
        self.assertIn(f"{self.project_file} is left out: it can be written by anybody", answer.err)
        self.assertIn("is left out", self.good("cluster", "ls").err)
        if os.getuid() == 0:
            os.chmod(self.project_file, 0o600)
            os.chown(self.project_file, 12345, 12345)
            self.assertIn("belongs to another user", self.good("config", "show").err)
        os.remove(self.project_file)
        self.write(self.user_file, "schema = 1\n")
        os.chmod(self.user_file, 0o666)
        self.assertIn("chmod 600", self.bad(2, "config", "show").err)

    def random_settings(self, draw):
        """A value for some of the options, by what --all says there is."""
        chosen = {}
        for one in self.good("config", "show", "--all", "--json", env={}).json()["settings"]:
            key, value = one["key"], one["value"]
            # With it, what is printed is no TOML.
            if key == "json" or draw.random() < 0.7:
                continue
            if value in (True, False):
                chosen[key] = draw.choice((True, False))
            elif key.endswith(("timeout", "duration", "warmup")):
                chosen[key] = draw.choice(("500ms", "7s", "2m", "0.5s"))
            elif key in ("cluster", "bench.html", "submit.app", "submit.as", "node.logs.grep", "bench.csv", "bench.assert"):
                chosen[key] = "".join(draw.choice("aZ09 \"'\\\t\n\r#=[]{},é…😀\x7f\x01") for _ in range(draw.randrange(1, 20)))
            elif key in ("up.nodes", "up.seed", "cluster.run.nodes", "log.tail", "bench.size"):
                chosen[key] = str(draw.randrange(1, 31))
        return chosen

    def toml_string(self, text):
        return '"' + "".join(c if c.isprintable() and c not in '"\\' else f"\\U{ord(c):08X}" for c in text) + '"'

    def test_what_is_printed_sets_the_same_again(self):
        seed = int(os.environ.get("SEED", random.randrange(1 << 32)))
        print(f"SEED={seed}")
        draw = random.Random(seed)
        for _ in range(10):
            wanted = self.random_settings(draw)
            both = {"cluster": "--cluster", "bench.html": "bench.--html", "bench.limits": "bench.--limits"}
            lines = ["schema = 1"] + [f"{both.get(key, key)} = {str(value).lower() if isinstance(value, bool) else self.toml_string(value)}"
                                      for key, value in wanted.items()]
            self.write(self.user_file, "\n".join(lines) + "\n")
            first = {key: one[0] for key, one in self.settings().items()}
            self.assertEqual(first, wanted)
            printed = self.good("config", "show", *draw.choice(((), ("--origin",), ("--all",), ("--all", "--origin")))).out
            self.write(self.user_file, printed)
            self.assertEqual({key: one[0] for key, one in self.settings().items()}, wanted, printed)

    def test_hostile_files(self):
        seed = int(os.environ.get("SEED", random.randrange(1 << 32)))
        print(f"SEED={seed}")
        draw = random.Random(seed)
        good = b'schema = 1\ncluster = "a"\n[up]\nnodes = 7\ntimeout = "10s"\n[submit]\napp = "x"\n'
        samples = [b"", b"\x00", b"\xff\xfe", b"schema = 1\n" * 2, b"[" * 20_000, b"a." * 20_000 + b"b = 1", b"x = " + b"[" * 20_000,
                   b"schema = 99999999999999999999\n", b"schema = 1\n" + b"#" * (1 << 16), b"a." * 32_000 + b"b = 1",
                   b"x = " + b"{a.a.a.a.a.a.a.a.a.a.a.a = " * 250 + b"1" + b"}" * 250, b"x = \"\"\"" + b"a." * 20_000 + b"\"\"\""]
        for _ in range(30):
            text = bytearray(good)
            for _ in range(draw.randrange(1, 4)):
                text[draw.randrange(len(text))] = draw.randrange(256)
            samples.append(bytes(text))
        for text in samples:
            with open(self.project_file, "wb") as file:
                file.write(text)
            answer = self.zell("cluster", "ls", "--json")
            self.assertIn(answer.code, (0, 2), (text[:200], answer))
            if answer.code == 2:
                self.assertIn(self.project_file, answer.json()["error"]["reason"])
        os.remove(self.project_file)
        os.mkfifo(self.project_file)
        self.good("cluster", "ls")
        os.makedirs(os.path.dirname(self.user_file), exist_ok=True)
        os.mkfifo(self.user_file)
        self.bad(1, "cluster", "ls")


if __name__ == "__main__":
    unittest.main()
