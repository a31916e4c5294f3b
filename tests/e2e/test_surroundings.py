"""Where zell is started from: no environment, no terminal worth the name, odd folders, nowhere to write."""

import os
import pty
import signal
import subprocess
import unittest

from harness import PATIENCE, ZELL, Case

ESCAPE = "\033"


class Surroundings(Case):
    def run_zell(self, *words, env=None, **streams):
        return subprocess.run([ZELL, *words], env=self.env if env is None else env, cwd=self.home, text=True, timeout=PATIENCE,
                              **{"stdin": subprocess.DEVNULL, "capture_output": not streams, **streams})

    def shell(self, command):
        """As somebody would type it, with zell on the path."""
        return subprocess.run(["/bin/sh", "-c", command], env=self.env, cwd=self.home, text=True, capture_output=True,
                              stdin=subprocess.DEVNULL, timeout=PATIENCE)

    def test_without_any_environment_it_says_what_is_missing_or_works(self):
        self.assertEqual(self.run_zell("version", env={}).returncode, 0)
        self.assertEqual(self.run_zell("--help", env={}).returncode, 0)
        # HOME is the user's in the password file then; with one of ours everything works.
        only_home = {"HOME": self.env["HOME"]}
        up = self.run_zell("up", "bare", "-n", "1", "--base-port", str(self.base_port), env=only_home)
        try:
            self.assertEqual(up.returncode, 0, up.stderr)
            self.assertEqual(self.run_zell("submit", "hello", env=only_home).returncode, 0)
        finally:
            removed = self.run_zell("cluster", "rm", "bare", "--force", env=only_home)
        self.assertEqual(removed.returncode, 0, removed.stderr)

    def test_a_home_with_spaces_quotes_and_no_ascii(self):
        for variable in ("HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR", "TMPDIR"):
            self.env[variable] = f"{self.home}/it's a \"ho me\" ü/{variable.lower()}"
            os.makedirs(self.env[variable], mode=0o700)
        self.up("-n", "1")
        self.good("key", "new", "carol", "--dev")
        self.good("submit", "x", "--as", "carol")
        self.good("verify")
        # A shell takes the variables as they are.
        done = self.shell('eval "$(zell cluster env --shell sh)" && test -f "$ZELL_GENESIS"')
        self.assertEqual(done.returncode, 0, done)
        self.good("down")

    def test_on_a_dumb_terminal_nothing_is_coloured_or_written_over(self):
        controller, terminal = pty.openpty()
        try:
            done = self.run_zell("up", "-n", "1", "--base-port", str(self.base_port), env={**self.env, "TERM": "dumb"},
                                 stdout=terminal, stderr=terminal)
            self.assertEqual(done.returncode, 0)
            shown = os.read(controller, 65536).decode()
        finally:
            os.close(controller)
            os.close(terminal)
        self.assertNotIn(ESCAPE, shown)
        self.assertNotIn("\r", shown.replace("\r\n", ""))
        self.assertIn("✓ n1", shown)

    def test_output_that_cannot_be_written_is_an_error(self):
        self.up("-n", "1")
        for words in ("status", "log", "key ls", "submit x", "cluster ls --json", "verify", "version"):
            done = self.shell(f"zell {words} > /dev/full")
            self.assertEqual(done.returncode, 1, (words, done))
            self.assertIn("error: cannot write to stdout: No space left on device", done.stderr, words)
            done = self.shell(f"zell {words} >&-")
            self.assertEqual(done.returncode, 1, (words, done))
            self.assertIn("error: cannot write to stdout: Bad file descriptor", done.stderr, words)
        # Neither was written into a file that took the place of the closed one.
        self.good("verify")

    def test_a_reader_that_leaves_ends_it_quietly(self):
        self.up("-n", "1")
        self.good("submit", *(f"line {k}" for k in range(200)))
        done = subprocess.run(["bash", "-c", "zell log | head -n 1; exit ${PIPESTATUS[0]}"], env=self.env, cwd=self.home, text=True,
                              capture_output=True, timeout=PATIENCE)
        self.assertEqual(done.stderr, "")
        self.assertIn(done.returncode, (0, 128 + signal.SIGPIPE))

    def test_closed_standard_input_and_error_do_no_harm(self):
        self.up("-n", "1")
        self.assertEqual(self.shell("zell submit x <&- 2>&-").returncode, 0)
        self.assertNotEqual(self.shell("zell submit --lines - <&-").returncode, 0)
        self.good("verify")


if __name__ == "__main__":
    unittest.main()
