"""Completion in the real shells, and the manual: both come from the same description as --help."""

import os
import pty
import select
import shutil
import subprocess
import time
import unittest

from harness import Case

BASH_COMPLETION = "/usr/share/bash-completion/bash_completion"


class Asked(Case):
    """What the scripts ask: zell __complete."""

    def offers(self, *words, **more):
        answer = self.good("__complete", "--", *words, **more)
        self.assertEqual(answer.err, "")
        return [line.split("\t")[0] for line in answer.lines()]

    def test_commands_options_and_choices(self):
        self.assertIn("submit", self.offers(""))
        self.assertNotIn("__complete", self.offers("__"))
        self.assertEqual(self.offers("sub"), ["submit"])
        self.assertEqual(set(self.offers("cluster", "")) & {"up", "rm", "run", "supervise"}, {"up", "rm", "run"})
        self.assertEqual(self.offers("submit", "--li"), ["--lines"])
        self.assertIn("--json", self.offers("submit", "--"))
        self.assertNotIn("--json", self.offers("submit", "--json", "--"))
        self.assertEqual(self.offers("submit", "--wait", "f"), ["finalised"])
        self.assertEqual(self.offers("submit", "--wait=f"), ["--wait=finalised"])
        self.assertEqual(self.offers("completion", ""), ["bash", "zsh", "fish"])
        self.assertEqual(self.offers("submit", "--file", ""), [":files"])
        self.assertEqual(self.offers("up", "--dir", ""), [":folders"])
        self.assertEqual(self.offers("cluster", "run", "--", ""), [":command"])
        self.assertEqual(self.offers("cluster", "run", "--", "ls", ""), [":files"])

    def test_it_is_silent_whatever_is_wrong(self):
        with open(f"{self.home}/zell.toml", "w") as file:
            file.write("this is no TOML")
        for words in (("no-such", ""), ("submit", "--no-such", ""), ("submit", "--", "--"), ("\n\t",),
                      ("node", "kill", "--cluster", "nobody", "x"), ("node", "kill", "--cluster", "../..", "x")):
            self.assertEqual(self.offers(*words), [], words)
        os.remove(f"{self.home}/zell.toml")
        with open(f"{self.home}/not-a-folder", "w"):
            pass
        for name in ("XDG_STATE_HOME", "XDG_DATA_HOME", "HOME"):
            self.offers("node", "kill", "", env={name: f"{self.home}/not-a-folder"})

    def test_live_names(self):
        self.up("-n", "2")
        self.good("key", "new", "carol", "--dev")
        self.assertEqual(self.offers("node", "kill", "n"), ["n1", "n2"])
        self.assertEqual(self.offers("node", "kill", "n1,n"), ["n1,n1", "n1,n2"])
        self.assertEqual(self.offers("node", "kill", "f"), ["followers", "followers:2", "f", "f+1"])
        self.assertEqual(self.offers("status", ""), ["dev"])
        self.assertEqual(self.offers("--cluster", "d"), ["dev"])
        self.assertEqual(set(self.offers("submit", "x", "--as", "")), {"alice", "bob", "carol"})
        self.assertIn("carol", self.offers("key", "show", ""))
        begin = time.monotonic()
        for _ in range(5):
            self.offers("node", "kill", "")
        self.assertLess((time.monotonic() - begin) / 5, 1)  # 10 ms; what this rules out is a question to a node
        self.bash()
        self.zsh()
        self.fish()

    def bash(self):
        prelude = {"plain": "", "with bash-completion": f". {BASH_COMPLETION}; "}
        for name, before in prelude.items():
            if before and not os.path.exists(BASH_COMPLETION):
                print("bash-completion is not installed: tested without it")
                continue
            for words, wanted in ((["zell", "sub"], {"submit"}), (["zell", "node", "kill", "n"], {"n1", "n2"}),
                                  (["zell", "node", "kill", "followers", ":", "2"], {"2"}),
                                  (["zell", "submit", "--wait", "=", "fin"], {"finalised"}),
                                  (["zell", "submit", "--wait", "="], {
                                      "initialised", "sequenced", "locked", "finalised"}),
                                  (["zell", "submit", "--as", "car"], {"carol"}),
                                  (["zell", "submit", "--file", "/etc/host"], {"/etc/hosts", "/etc/hostname", "/etc/host.conf"})):
                # As readline calls it.
                quoted = " ".join(f"'{word}'" for word in words)
                script = (f'{before}eval "$(zell completion bash)"; COMP_WORDS=({quoted}); COMP_CWORD={len(words) - 1}; '
                          "COMP_LINE=\"${COMP_WORDS[*]}\"; COMP_POINT=${#COMP_LINE}; _zell; printf '%s\\n' \"${COMPREPLY[@]}\"")
                done = subprocess.run(["bash", "--norc", "-c", script], capture_output=True, text=True, env=self.env, timeout=60)
                found = set(done.stdout.split())
                if "--file" in words:
                    self.assertTrue(found and found <= wanted, (name, words, done))
                else:
                    self.assertEqual(found, wanted, (name, words, done))
                self.assertEqual(done.stderr, "", (name, words))

    def fish(self):
        if not shutil.which("fish"):
            return print("fish is not installed: not tested")
        for line, wanted in (("zell sub", ["submit"]), ("zell node kill n", ["n1", "n2"]), ("zell submit --wait f", ["finalised"]),
                             ("zell submit --wait=f", ["--wait=finalised"]), ("zell key show car", ["carol"]), ("zell clust", ["cluster"]),
                             ("zell submit --file /etc/hostna", ["/etc/hostname"])):
            script = f"zell completion fish | source; complete -C '{line}'"
            done = subprocess.run(["fish", "--no-config", "-c", script], capture_output=True, text=True, env=self.env, timeout=60)
            self.assertEqual([one.split("\t")[0] for one in done.stdout.splitlines()], wanted, (line, done))
            self.assertEqual(done.stderr, "", line)

    def zsh(self):
        if not shutil.which("zsh"):
            return print("zsh is not installed: not tested")
        with open(f"{self.home}/.zshrc", "w") as file:
            file.write("unsetopt beep; autoload -U compinit; compinit -u -D; eval \"$(zell completion zsh)\"; PROMPT='ready> '\n")
        for typed, wanted in (("zell sub\t", "zell submit "), ("zell node kill n\t", "n2"),
                              ("zell submit --wait fin\t", "finalised "), ("zell key show car\t", "carol "),
                              ("zell submit --file /etc/hostna\t", "/etc/hostname")):
            self.assertIn(wanted.strip(), self.typed_into_zsh(typed, wanted.strip()), typed)

    def typed_into_zsh(self, typed, wanted):
        """What the terminal shows; it ends when `wanted` is there."""
        pid, terminal = pty.fork()
        if pid == 0:
            os.execvpe("zsh", ["zsh", "-i"], {**self.env, "ZDOTDIR": self.home, "TERM": "dumb", "COLUMNS": "200"})
        seen = ""
        try:
            end = time.monotonic() + 60
            sent = False
            while time.monotonic() < end:
                if not select.select([terminal], [], [], 0.5)[0]:
                    continue
                seen += os.read(terminal, 4096).decode(errors="replace")
                if not sent and "ready> " in seen:
                    os.write(terminal, typed.encode())
                    sent = True
                elif sent and wanted in seen:
                    break
            return seen
        finally:
            os.close(terminal)
            os.kill(pid, 9)
            os.waitpid(pid, 0)


class Manual(Case):
    def test_pages_are_well_formed(self):
        folder = f"{self.home}/man"
        self.good("man", "--into", folder)
        pages = sorted(os.listdir(folder))
        self.assertGreater(len(pages), 30)
        for name in ("zell.1", "zell-submit.1", "zell-node-kill.1"):
            self.assertIn(name, pages)
        self.assertNotIn("zell-cluster-supervise.1", pages)
        paths = [f"{folder}/{name}" for name in pages]
        if shutil.which("mandoc"):
            # A page needs no date: it is that of the program.
            done = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", *paths], capture_output=True, text=True, timeout=60)
            self.assertEqual([line for line in done.stdout.splitlines() if "missing date" not in line], [])
        else:
            print("mandoc is not installed: not tested with it")
        if shutil.which("groff"):
            for path in paths:
                done = subprocess.run(["groff", "-man", "-k", "-ww", "-Tutf8", path], capture_output=True, text=True, timeout=60)
                self.assertEqual((done.returncode, done.stderr), (0, ""), path)
        else:
            print("groff is not installed: not tested with it")

    def test_it_says_what_help_says(self):
        page = self.good("man", "submit").out
        self.assertIn(".TH ZELL\\-SUBMIT 1", page)
        self.assertIn("printf \\(aqa\\enb\\en\\(aq | zell submit \\-\\-lines \\-", page)
        self.assertIn("\\fBZELL_SUBMIT_APP\\fR", page)
        self.assertNotIn("ZELL_SUBMIT_HELP", page)
        if shutil.which("mandoc"):
            text = subprocess.run(["mandoc", "-T", "ascii"], input=page, capture_output=True, text=True, timeout=60).stdout
            plain = subprocess.run(["col", "-bx"], input=text, capture_output=True, text=True, timeout=60).stdout
            self.assertIn("printf 'a\\nb\\n' | zell submit --lines -", plain)
        self.assertIn("did you mean submit?", self.bad(2, "man", "sumbit").err)
        self.assertEqual(self.good("man", "--json").json()["name"], "zell")


if __name__ == "__main__":
    unittest.main()
