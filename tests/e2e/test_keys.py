"""zell key: keys come from other programs' files, go to them, and go away; secrets are shown to nobody by accident."""

import json
import os
import pty
import re
import select
import stat
import subprocess
import sys
import time
import unittest

from harness import PATIENCE, ZELL, Case

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "interop"))
import packages  # noqa: E402

KEYSTORE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "vectors", "keystore")
SECRET = "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"  # the first key of anvil and hardhat
ADDRESS = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


class Terminal:
    """zell on a terminal of its own, as somebody who types sees it."""

    def __init__(self, case, *words):
        self.shown = ""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(case.home)
            os.execve(ZELL, [ZELL, *words], {**case.env, "TERM": "xterm"})

    def wait_for(self, text):
        end = time.monotonic() + PATIENCE
        while text not in self.shown:
            if not select.select([self.fd], [], [], max(0, end - time.monotonic()))[0]:
                raise AssertionError(f"no {text!r} in {self.shown!r}")
            try:
                self.shown += os.read(self.fd, 4096).decode()
            except OSError as closed:
                raise AssertionError(f"no {text!r} in {self.shown!r}") from closed

    def answer(self, prompt, text):
        self.wait_for(prompt)
        os.write(self.fd, text.encode())
        return self

    def end(self):
        """The exit code, once it has ended."""
        while True:
            try:
                more = os.read(self.fd, 4096)
            except OSError:
                break
            if not more:
                break
            self.shown += more.decode()
        code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        os.close(self.fd)
        return code


class KeyCase(Case):
    def file(self, name, text, mode=0o600):
        path = os.path.join(self.home, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, mode)
        return path

    def text(self, path):
        with open(path, encoding="utf-8") as file:
            return file.read()

    def mode(self, path):
        return stat.S_IMODE(os.stat(path).st_mode)

    def own_keys(self):
        folder = os.path.join(self.env["XDG_DATA_HOME"], "zell", "keys")
        return sorted(os.listdir(folder)) if os.path.exists(folder) else []

    def secret_of(self, name, *words):
        return self.good("key", "export", name, "--hex", "--yes", *words).out.strip()


class Import(KeyCase):
    def test_a_bare_secret_comes_from_stdin(self):
        for number, text in enumerate((SECRET, "0x" + SECRET, f"  {SECRET.upper()}\r\n")):
            made = self.good("key", "import", f"k{number}", "--hex", "-", "--dev", "--json", stdin=text).json()
            self.assertEqual((made["schema"], made["address"], made["dev"]), (1, ADDRESS, True))
            self.assertEqual(self.mode(made["file"]), 0o600)
            self.assertEqual(self.mode(os.path.dirname(made["file"])), 0o700)
            self.assertEqual(self.secret_of(f"k{number}"), "0x" + SECRET)
        shown = self.good("key", "import", "k3", "--hex", "-", "--dev", stdin=SECRET)
        self.assertNotIn(SECRET, shown.out + shown.err)

    def test_what_is_no_secret_is_refused_and_not_repeated(self):
        for text, says in (("0" * 64, "zero, or not below"), (f"{ORDER:064x}", "zero, or not below"), ("f" * 64, "zero, or not below"),
                           (SECRET[1:], "64 digits"), (SECRET + "00", "64 digits"), ("", "64 digits"), (SECRET[:-1] + "g", "64 digits"),
                           (SECRET + "\n" + SECRET, "64 digits"), ("1" * 10_000, "more than a secret")):
            answer = self.bad(2, "key", "import", "bad", "--hex", "-", "--dev", stdin=text)
            self.assertIn(says, answer.err)
            if len(text) > 60:
                self.assertNotIn(text[:60], answer.err)
            self.assertEqual(self.bad(2, "key", "import", "bad", "--hex", "-", "--dev", "--json", stdin=text).json()["error"]["code"],
                             "bad-secret")
        self.good("key", "import", "largest", "--hex", "-", "--dev", stdin=f"{ORDER - 1:064x}")
        self.assertEqual(self.own_keys(), ["largest.json"])

    def test_a_secret_on_the_command_line_is_refused_and_not_repeated(self):
        answer = self.bad(2, "key", "import", "carol", "--hex", SECRET, "--dev")
        self.assertIn("others can see", answer.err)
        self.assertNotIn(SECRET, answer.out + answer.err)
        self.assertEqual(self.own_keys(), [])

    def test_key_files_that_other_programs_wrote(self):
        entries = json.loads(self.text(os.path.join(KEYSTORE, "manifest.json")))
        self.assertGreaterEqual({one["writer"] for one in entries}, {"ethers", "eth-account", "geth", "zell"})
        for one in entries:
            with self.subTest(file=one["file"]):
                name = one["file"].removesuffix(".json")
                words = () if one["dev"] else ("--password-file", self.file("pass", one["passphrase"] + "\n"))
                # --dev: kept at little cost, to be quick.
                self.good("key", "import", name, os.path.join(KEYSTORE, one["file"]), "--dev", *words)
                self.assertEqual(self.secret_of(name), one["secret"])

    def test_the_passphrase_stays_or_is_changed(self):
        self.file("theirs", "correct horse\n")
        self.file("mine", "a new one\n")
        source = os.path.join(KEYSTORE, "geth-default.json")
        self.good("key", "import", "same", source, "--password-file", "theirs")
        stdin = self.text(source)
        self.good("key", "import", "changed", "-", "--password-file", "theirs", "--new-password-file", "mine", stdin=stdin)
        secret = self.secret_of("same", "--password-file", "theirs")
        self.assertEqual(self.secret_of("changed", "--password-file", "mine"), secret)
        self.assertIn("does not open", self.bad(1, "key", "export", "changed", "--hex", "--yes", "--password-file", "theirs").err)
        listed = {key["name"]: key for key in self.good("key", "ls", "--json").json()["keys"]}
        self.assertEqual(listed["same"]["address"], listed["changed"]["address"])
        self.assertFalse(listed["same"]["dev"])

    def test_what_does_not_open_is_not_kept(self):
        light = os.path.join(KEYSTORE, "ethers-light.json")
        self.file("wrong", "wrong\n")
        self.file("right", "correct horse\n")
        self.file("open", "correct horse\n", 0o644)
        self.file("empty", "\n")
        self.file("torn.json", self.text(light)[:200])
        self.file("large.json", " " * 70_000)
        self.assertIn("does not open", self.bad(1, "key", "import", "a", light, "--password-file", "wrong").err)
        self.assertIn("chmod 600", self.bad(2, "key", "import", "a", light, "--password-file", "open").err)
        self.assertIn("no terminal", self.bad(2, "key", "import", "a", light).err)
        self.assertIn("not a JSON object", self.bad(1, "key", "import", "a", "torn.json", "--password-file", "right").err)
        self.assertIn("64 KiB", self.bad(1, "key", "import", "a", "large.json", "--password-file", "right").err)
        self.bad(3, "key", "import", "a", "nowhere.json", "--password-file", "right")
        protects = self.bad(2, "key", "import", "a", light, "--password-file", "right", "--new-password-file", "empty")
        self.assertIn("protects nothing", protects.err)
        self.assertIn("protects nothing", self.bad(2, "key", "new", "a", "--password-file", "empty").err)
        self.assertEqual(self.own_keys(), [])

    def test_mistakes(self):
        self.good("key", "new", "carol", "--dev")
        light = os.path.join(KEYSTORE, "ethers-light.json")
        for code, words in ((2, ("import",)), (2, ("import", "x")), (2, ("import", "x", light, "--hex", "-")),
                            (2, ("import", "../x", light)), (5, ("import", "carol", light)),
                            (2, ("import", "x", light, "--dev", "--new-password-file", "p")),
                            (2, ("import", "x", "--hex", "-", "--new-password-file", "p")),
                            (2, ("import", "x", "--hex", "-", "--dev", "--password-file", "p")),
                            (2, ("export",)), (3, ("export", "nobody")), (2, ("rm", "--yes")), (3, ("rm", "nobody", "--yes")),
                            (2, ("export", "carol", "--hex", "--yes", "--new-password-file", "p"))):
            answer = self.bad(code, "key", *words)
            self.assertTrue(answer.err.startswith("error: "), words)
        self.assertEqual(self.own_keys(), ["carol.json"])


class Export(KeyCase):
    def test_the_encrypted_file_leaves_as_it_is(self):
        key = self.good("key", "new", "carol", "--dev", "--json").json()
        kept = self.text(key["file"])
        self.assertEqual(self.good("key", "export", "carol").out, kept)
        document = self.good("key", "export", "carol", "--json").json()
        self.assertEqual((document["address"], document["key"]), (key["address"], json.loads(kept)))

    def test_to_a_file_of_mode_0600_that_is_not_replaced_unasked(self):
        self.good("key", "new", "carol", "--dev")
        old_mask = os.umask(0)
        try:
            said = self.good("key", "export", "carol", "-o", "out.json", "--json").json()
        finally:
            os.umask(old_mask)
        self.assertEqual((said["name"], said["file"]), ("carol", "out.json"))
        path = os.path.join(self.home, "out.json")
        self.assertEqual(self.mode(path), 0o600)
        self.file("out.json", "something else", 0o644)
        self.assertIn("--force", self.bad(5, "key", "export", "carol", "-o", "out.json").err)
        self.assertEqual(self.text(path), "something else")
        self.good("key", "export", "carol", "-o", "out.json", "--hex", "--yes", "--force")
        self.assertEqual(self.mode(path), 0o600)
        self.assertRegex(self.text(path), r"^0x[0-9a-f]{64}\n$")
        self.bad(2, "key", "export", "carol", "-o", "/dev/null", "--force")
        self.bad(1, "key", "export", "carol", "-o", "no/such/folder")
        self.assertEqual([name for name in os.listdir(self.home) if "out" in name], ["out.json"])  # nothing half-written

    def test_a_full_disk_is_told(self):
        self.good("key", "new", "carol", "--dev")
        with open("/dev/full", "w", encoding="utf-8") as full:
            done = subprocess.run([ZELL, "key", "export", "carol"], stdout=full, stderr=subprocess.PIPE, text=True, env=self.env,
                                  stdin=subprocess.DEVNULL, timeout=PATIENCE, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("No space left", done.stderr)

    def test_a_bare_secret_needs_a_yes(self):
        key = self.good("key", "new", "carol", "--dev", "--json").json()
        refused = self.bad(2, "key", "export", "carol", "--hex")
        self.assertIn("--yes", refused.err)
        self.assertEqual(refused.out, "")
        document = self.good("key", "export", "carol", "--hex", "--yes", "--json").json()
        self.assertEqual(document["address"], key["address"])
        self.assertEqual(document["secret"], self.secret_of("carol"))

    def test_under_another_passphrase(self):
        self.file("old", "old\n")
        self.file("new", "new\n")
        self.file("wrong", "wrong\n")
        self.good("key", "new", "carol", "--password-file", "old")
        self.good("key", "export", "carol", "--password-file", "old", "--new-password-file", "new", "-o", "out.json")
        self.good("key", "import", "back", "out.json", "--password-file", "new", "--dev")
        self.assertEqual(self.secret_of("back"), self.secret_of("carol", "--password-file", "old"))
        # Given without a new one, it is only seen whether it opens.
        self.good("key", "export", "carol", "--password-file", "old")
        self.bad(1, "key", "export", "carol", "--password-file", "wrong")

    def test_a_development_key_stays_one_under_a_passphrase(self):
        self.file("new", "new\n")
        self.good("key", "new", "carol", "--dev")
        out = self.good("key", "export", "carol", "--new-password-file", "new").out
        self.assertTrue(json.loads(out)["zell"]["dev"])
        self.bad(2, "key", "import", "back", "-", stdin=out)  # no terminal to ask on
        back = self.good("key", "import", "back", "-", "--password-file", "new", "--json", stdin=out).json()
        self.assertTrue(back["dev"])
        self.assertEqual(self.secret_of("back"), self.secret_of("carol"))


class Remove(KeyCase):
    def test_keys_go_only_after_a_yes_and_all_or_none(self):
        for name in ("carol", "dave", "erin"):
            self.good("key", "new", name, "--dev")
        self.assertIn("--yes", self.bad(2, "key", "rm", "carol").err)
        self.assertIn("did you mean dave?", self.bad(3, "key", "rm", "carol", "dav", "--yes").err)
        self.assertEqual(self.own_keys(), ["carol.json", "dave.json", "erin.json"])
        self.assertEqual(self.good("key", "rm", "carol", "carol", "--yes").out, "removed carol\n")
        self.assertEqual(self.good("key", "rm", "erin", "dave", "--yes", "--json").json()["removed"], ["dave", "erin"])
        self.assertEqual(self.own_keys(), [])
        for name in ("../keys/carol", "/etc/passwd", "", ".", "*"):
            self.bad(3, "key", "rm", name, "--yes")

    def test_a_broken_key_can_be_removed(self):
        self.good("key", "new", "carol", "--dev")
        self.file(os.path.join(self.env["XDG_DATA_HOME"], "zell", "keys", "carol.json"), "{")
        self.bad(1, "key", "show", "carol")
        self.good("key", "rm", "carol", "--yes")
        self.assertEqual(self.own_keys(), [])

    def test_a_key_of_the_cluster_is_not_removed(self):
        self.up("-n", "1")
        answer = self.bad(2, "key", "rm", "alice", "--yes")
        self.assertIn("is a key of the cluster", answer.err)
        self.good("submit", "still here", "--as", "alice")


class OnATerminal(KeyCase):
    def test_passphrases_and_secrets_are_asked_for_and_not_shown(self):
        new = Terminal(self, "key", "import", "carol", "--hex", "-")
        new.answer("in hexadecimal: ", SECRET + "\n").answer("passphrase for carol: ", "very secret\n")
        new.answer("the same again: ", "very secret\n")
        self.assertEqual(new.end(), 0, new.shown)
        self.assertIn(ADDRESS, new.shown)
        self.assertNotIn(SECRET, new.shown)
        self.assertNotIn("very secret", new.shown)
        self.assertEqual(self.secret_of("carol", "--password-file", self.file("pass", "very secret\n")), "0x" + SECRET)

        differ = Terminal(self, "key", "new", "dave")
        differ.answer("passphrase for dave: ", "one\n").answer("the same again: ", "two\n")
        self.assertEqual(differ.end(), 2)
        empty = Terminal(self, "key", "new", "dave")
        empty.answer("passphrase for dave: ", "\n").answer("the same again: ", "\n")
        self.assertEqual(empty.end(), 2)
        self.assertIn("protects nothing", empty.shown)
        self.assertEqual(self.own_keys(), ["carol.json"])

    def test_a_key_file_is_taken_over_under_a_new_passphrase(self):
        light = os.path.join(KEYSTORE, "geth-light.json")
        taken = Terminal(self, "key", "import", "carol", light, "--new-password")
        taken.answer(f"passphrase of {light}: ", " spaces kept \n")
        taken.answer("new passphrase for carol: ", "another\n").answer("the same again: ", "another\n")
        self.assertEqual(taken.end(), 0, taken.shown)
        given = Terminal(self, "key", "export", "carol", "--hex", "--yes").answer("passphrase for carol: ", "another\n")
        self.assertEqual(given.end(), 0, given.shown)
        self.assertNotIn("another", given.shown)
        with open(os.path.join(KEYSTORE, "manifest.json"), encoding="utf-8") as file:
            secret = {one["file"]: one["secret"] for one in json.load(file)}["geth-light.json"]
        self.assertIn(secret, given.shown)

    def test_ctrl_c_at_a_prompt_ends_it_at_once(self):
        for keys in ("half typed\x03", "\x04"):
            asked = Terminal(self, "key", "new", "carol")
            asked.answer("passphrase for carol: ", keys)
            self.assertEqual(asked.end(), 130, asked.shown)
        self.assertEqual(self.own_keys(), [])

    def test_a_bare_secret_is_shown_after_its_name_was_typed(self):
        self.good("key", "new", "carol", "--dev")
        sure = Terminal(self, "key", "export", "carol", "--hex").answer("type its name:", "carol\n")
        self.assertEqual(sure.end(), 0)
        self.assertRegex(sure.shown, "0x[0-9a-f]{64}")
        for answer in ("yes\n", "\n", "carol2\n", "\x04"):
            unsure = Terminal(self, "key", "export", "carol", "--hex").answer("type its name:", answer)
            self.assertEqual(unsure.end(), 1)
            self.assertNotRegex(unsure.shown, "0x[0-9a-f]{64}")

    def test_removing_is_asked_about(self):
        self.good("key", "new", "carol", "--dev")
        self.assertEqual(Terminal(self, "key", "rm", "carol").answer("Type yes:", "y\n").end(), 1)
        self.assertEqual(self.own_keys(), ["carol.json"])
        self.assertEqual(Terminal(self, "key", "rm", "carol").answer("Type yes:", "yes\n").end(), 0)
        self.assertEqual(self.own_keys(), [])


class OffLoopback(KeyCase):
    def test_a_node_refuses_a_development_key_off_loopback(self):
        folder = self.up("solo", "-n", "1", "--json").json()["folder"]
        self.good("down", "solo")
        path = f"{folder}/n1/node.toml"
        config = self.text(path)
        for part in ("listen", "api"):
            changed, count = re.subn(rf'(\[{part}\]\nhost = )"127\.0\.0\.1"', r'\1"0.0.0.0"', config)
            self.assertEqual(count, 1, config)
            self.file(path, changed)
            answer = self.bad(2, "node", "run", "--config", path, timeout=30)
            self.assertIn("was made for development, and this node listens off loopback", answer.err)
        self.file(path, config)
        self.good("up", "solo")


class WithOtherPrograms(KeyCase):
    """As far as they are installed: tests/interop/README.md."""

    def exchange(self, package):
        try:
            version = package.version()
        except packages.Unavailable as missing:
            self.skipTest(str(missing))
        self.file("pass", "correct horse\n")
        for name, words in (("ours", ("--password-file", "pass")), ("dev", ("--dev",))):
            with self.subTest(package=package.name, version=version, key=name):
                self.good("key", "new", name, *words)
                passphrase = "" if name == "dev" else "correct horse"
                secret = self.secret_of(name, *([] if name == "dev" else words))
                self.assertEqual(package.read(self.good("key", "export", name).out, passphrase).get("secret"), secret)
                theirs = self.file("theirs.json", package.write(secret=secret, password="correct horse", cost="light"))
                self.good("key", "import", name + "-back", theirs, "--password-file", "pass", "--dev")
                self.assertEqual(self.secret_of(name + "-back"), secret)

    def test_ethers(self):
        self.exchange(packages.ethers)

    def test_eth_account(self):
        self.exchange(packages.eth_account)

    def test_geth(self):
        self.exchange(packages.geth)


if __name__ == "__main__":
    unittest.main()
