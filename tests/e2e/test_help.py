"""Every example that a --help ends with runs."""

import json
import os
import re
import signal
import subprocess
import unittest

from harness import PATIENCE, ZELL, Case
from sample_results import sample_result


def help_of(*words):
    return subprocess.run([ZELL, *words, "--help"], capture_output=True, text=True, timeout=60, check=True).stdout


def commands_in(text):
    section = re.search(r"\nSubcommands:\n(.*?)\n\n", text, re.S)
    return re.findall(r"^  (\S+)", section.group(1), re.M) if section else []


def examples_in(text):
    section = re.search(r"\nExamples:\n((?:  \S.*\n)+)", text)
    return [line.strip() for line in section.group(1).splitlines()] if section else []


def all_commands(words=()):
    for name in commands_in(help_of(*words)):
        yield (*words, name)
        yield from all_commands((*words, name))


class Help(Case):
    def test_every_command_ends_its_help_with_two_or_three_examples(self):
        for words in all_commands():
            self.assertIn(len(examples_in(help_of(*words))), (2, 3), words)
        self.assertIn("Exit codes: 0 done; 1 a negative answer", help_of())

    def prepare(self, example):
        """What the example takes for granted."""
        if "node run" in example:
            folder = self.good("up", "solo", "-n", "1", "--json").json()["folder"]
            self.good("down", "solo")
            for link, target in (("node.toml", f"{folder}/n1/node.toml"), ("n1", f"{folder}/n1")):
                if os.path.lexists(f"{self.home}/{link}"):
                    os.remove(f"{self.home}/{link}")
                os.symlink(target, f"{self.home}/{link}")
            return
        for name in re.findall(r"\w+\.json", example):
            with open(f"{self.home}/{name}", "w") as file:
                json.dump([sample_result()] * 5, file)
        if not re.search(r"zell (cluster )?up", example):
            self.good("up", "dev")
            if "demo" in example:
                self.good("up", "demo", "-n", "1")
            if example.endswith("rm demo"):
                self.good("down", "demo")
        if "carol.pass" in example:
            with open(f"{self.home}/carol.pass", "w") as file:
                file.write("secret\n")
            os.chmod(f"{self.home}/carol.pass", 0o600)
        if "wallet.json" in example:  # a key file, in place of the results above
            self.good("key", "export", "alice", "--cluster", "dev", "--new-password-file", "carol.pass", "-o", "wallet.json",
                      "--force")
        if "key rm carol" in example:
            self.good("key", "new", "carol", "--dev")
        if "resume" in example:
            self.good("node", "pause", "n2", "--cluster", "dev")
        if "node start" in example:
            self.good("node", "kill", "n1,n2", "--no-wait", "--cluster", "dev")

    def restore(self):
        """Back to a cluster dev with all nodes up, if it was not too much to ask."""
        for cluster in self.good("cluster", "ls", "--json").json()["clusters"]:
            if cluster["name"] != "dev" or cluster["nodes"] != 4:
                self.good("cluster", "rm", cluster["name"], "--force")
        for words in (("resume", "all"), ("start", "all")):
            self.zell("node", *words, "--cluster", "dev")
        key = f"{self.env['XDG_DATA_HOME']}/zell/keys/carol.json"
        if os.path.exists(key):
            os.remove(key)

    def run_example(self, example):
        endless = re.search(r" -f\b|node run|--watch", example)
        process = subprocess.Popen(["/bin/sh", "-c", f"exec {example}" if endless else example], env={**self.env, "ZELL_CLUSTER": "dev"},
                                   cwd=self.home, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   text=True)
        self.started.append(process)
        if endless:
            # It goes on until somebody ends it.
            with self.assertRaises(subprocess.TimeoutExpired, msg=example):
                process.wait(timeout=1)
            process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=PATIENCE)
        wanted = (0, -signal.SIGTERM) if endless else (0, 1) if "challenge" in example else (0,)
        if "evidence show" in example:
            wanted = (3,)  # nobody here has broken a rule
        self.assertIn(process.returncode, wanted, f"{example}\n{out}\n{err}")

    def test_every_example_runs(self):
        examples = set(examples_in(help_of()))
        for words in all_commands():
            examples.update(examples_in(help_of(*words)))
        self.assertGreater(len(examples), 40)
        for example in sorted(examples):
            with self.subTest(example=example):
                self.prepare(example)
                self.run_example(example)
                self.restore()


if __name__ == "__main__":
    unittest.main()
