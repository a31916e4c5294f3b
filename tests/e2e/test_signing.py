"""zell sign and zell submit --signed: requests that are made where no node is; and those that wallets sign."""

import json
import os
import resource
import shutil
import subprocess
import sys
import unittest
import urllib.request

from harness import PATIENCE, ZELL, Case

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
sys.path.insert(0, os.path.join(ROOT, "tests", "interop"))
import packages  # noqa: E402

FIELDS = ["schema", "cluster", "app", "nonce", "sender", "payloads", "signature"]


class SignCase(Case):
    def file(self, name, text):
        path = os.path.join(self.home, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def api(self):
        return self.good("status", "--json").json()["nodes"][0]["api"]

    def post(self, body):
        call = urllib.request.Request(self.api() + "/v1/requests?wait=finalised", json.dumps(body).encode(),
                                      {"Content-Type": "application/json"})
        with urllib.request.urlopen(call, timeout=PATIENCE) as answer:
            return json.load(answer)["results"]

    def signed(self, *words, **more):
        return [json.loads(line) for line in self.good("sign", *words, **more).lines()]

    def entries(self, *words):
        return [json.loads(line) for line in self.good("log", "--json", *words).lines()]


class Offline(SignCase):
    def test_signed_while_nothing_runs_and_final_later(self):
        self.up("-n", "1")
        self.good("down")
        lines = self.good("sign", "a", "b", "--as", "bob", "--app", "chat").out
        for line in lines.splitlines():
            self.assertEqual(list(json.loads(line)), FIELDS)
        bundle = self.signed("--lines", "-", "--bundle", "--nonce", "7", stdin="x\ny\nz\n")
        self.assertEqual([(one["nonce"], one["payloads"]) for one in bundle], [("7", ["0x78", "0x79", "0x7a"])])
        said = self.good("sign", "--file", self.file("whole", "c\nd"), "-o", "out.signed", "--json").json()
        self.assertEqual((said["requests"], said["file"]), (1, "out.signed"))
        self.assertIn("--force", self.bad(5, "sign", "x", "-o", "out.signed").err)
        self.good("up")
        self.assertEqual(self.good("submit", "--signed", "-", stdin=lines + "\n" + json.dumps(bundle[0])).lines()[-1].split("  ")[0],
                         "3 finalised, 0 failed")
        self.good("submit", "--signed", "out.signed")
        # Once is once: the same again is where it was.
        before = self.entries("--app", "chat")
        again = [json.loads(line) for line in self.good("submit", "--signed", "-", "--json", stdin=lines).lines()]
        self.assertEqual([one["index"] for one in again], [one["index"] for one in before])
        self.assertEqual(self.entries("--app", "chat"), before)
        self.assertEqual([one["sender"] for one in before], ["bob", "bob"])
        last = self.entries("--tail", "1")[0]
        self.assertEqual((last["payloads"], last["sender"]), (["0x630a64"], "alice"))

    def test_a_genesis_file_and_a_key_are_enough(self):
        folder = self.up("-n", "1", "--json").json()["folder"]
        elsewhere = os.path.join(self.home, "elsewhere")
        os.mkdir(elsewhere, 0o700)
        shutil.copy(f"{folder}/genesis.toml", elsewhere)
        shutil.copy(f"{folder}/keys/alice.json", elsewhere)
        empty = {name: elsewhere for name in ("HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR")}
        self.assertIn("--genesis", self.bad(3, "sign", "x", "--as", f"{elsewhere}/alice.json", env=empty).err)
        line = self.good("sign", "from afar", "--genesis", f"{elsewhere}/genesis.toml", "--as", f"{elsewhere}/alice.json", env=empty).out
        self.good("submit", "--signed", "-", stdin=line)
        self.assertEqual(self.entries("--tail", "1")[0]["text"], "from afar")

    def test_mistakes(self):
        self.up("-n", "1")
        for code, words in ((2, ()), (2, ("x", "--lines", "-")), (3, ("x", "--as", "nobody")), (2, ("x", "--app", "Not An App")),
                            (2, ("x", "--app", "a" * 300)), (3, ("x", "--genesis", "nowhere")), (2, ("x", "--nonce", "-1")),
                            (2, ("x", "y", "--nonce", str(2**64 - 1)))):
            answer = self.bad(code, "sign", *words)
            self.assertTrue(answer.err.startswith("error: "), (words, answer))
        self.bad(2, "submit", "x", "--app", "a" * 300)
        for words in (("x",), ("--app", "chat"), ("--as", "bob"), ("--lines", "-"), ("--bundle",)):
            self.assertIn("signed before", self.bad(2, "submit", "--signed", "-", *words).err)
        self.bad(3, "submit", "--signed", "nowhere")
        too_many = self.zell("sign", "--lines", "-", "--bundle", stdin="x\n" * 4097)
        self.assertIn("more than 4096 lines", too_many.err)
        self.assertEqual((too_many.code, too_many.out), (1, ""))
        self.assertEqual(len(self.signed("--lines", "-", "--bundle", stdin="x\n" * 4096)[0]["payloads"]), 4096)
        # A file is there whole or not at all.
        self.bad(1, "sign", "--lines", "-", "-o", "torn", stdin="x\n" * 3000 + "y" * 300_000 + "\n")
        self.assertEqual([name for name in os.listdir(self.home) if "torn" in name], [])

    def test_a_full_disk_is_told(self):
        self.up("-n", "1")
        with open("/dev/full", "w", encoding="utf-8") as full:
            done = subprocess.run([ZELL, "sign", "x"], stdout=full, stderr=subprocess.PIPE, text=True, env=self.env,
                                  stdin=subprocess.DEVNULL, timeout=PATIENCE, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("No space left", done.stderr)


class Submitting(SignCase):
    def test_each_line_is_checked_before_it_is_sent(self):
        self.up("-n", "1")
        good = self.signed("a", "b")
        lied = {**good[1], "payloads": ["0x6c6965"]}
        far = {**good[1], "cluster": "0x" + "11" * 32}
        for bad, code, says in (("nonsense", 2, "is not JSON"), ("[]", 2, "must be an object"), ('{"app":1}', 2, ".app"),
                                (json.dumps(lied), 1, "not the sender's"), (json.dumps(far), 2, "was signed for cluster 0x1111"),
                                (json.dumps({**good[1], "schema": 2}), 2, ".schema must be 1"),
                                (json.dumps({"requests": good}), 2, 'without "requests"')):
            answer = self.bad(code, "submit", "--signed", "-", stdin=f"{json.dumps(good[0])}\n\n{bad}\n{json.dumps(good[1])}\n")
            self.assertIn("line 3: ", answer.err)
            self.assertIn(says, answer.err)
        self.assertEqual([one["text"] for one in self.entries("--app", "default")], ["a"])  # what was before it, once
        long = self.bad(1, "submit", "--signed", "-", stdin=json.dumps(good[1]) + "\n" + " " * 2_300_000)
        self.assertIn("line 2 is too long", long.err)
        self.assertEqual([one["text"] for one in self.entries("--app", "default")], ["a", "b"])

    def test_requests_for_another_cluster(self):
        self.up("one", "-n", "1")
        self.good("down", "one")
        self.up("two", "-n", "1")
        line = self.good("sign", "x", "--cluster", "one").out
        told = self.bad(2, "submit", "--signed", "-", "--cluster", "two", stdin=line)
        self.assertIn("line 1: the request was signed for cluster 0x", told.err)
        self.assertIn("submit it there, or sign it anew", told.err)
        refused = self.post(json.loads(line))[0]
        self.assertEqual((refused["state"], refused["reason"]), ("refused", "other-cluster"))
        self.good("sign", "x", "--cluster", "one", "-o", "x.signed")

    def test_a_line_is_what_the_api_takes(self):
        self.up("-n", "1")
        lines = self.signed("a", "b", "c")
        self.assertEqual(self.post(lines[0])[0]["state"], "finalised")
        self.assertEqual([one["state"] for one in self.post({"requests": lines})], ["finalised"] * 3)
        self.assertEqual([one["text"] for one in self.entries("--app", "default")], ["a", "b", "c"])

    def test_lines_of_a_pipe_are_sent_as_they_come(self):
        self.up("-n", "1")
        lines = self.good("sign", "a", "b").lines()
        process = subprocess.Popen([ZELL, "submit", "--signed", "-", "--json"], env=self.env, cwd=self.home, text=True,
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.started.append(process)
        for line in lines:
            process.stdin.write(line + "\n")
            process.stdin.flush()
            self.assertEqual(json.loads(process.stdout.readline())["state"], "finalised")  # and stdin is still open
        process.stdin.close()
        process.stdin = None
        self.assertEqual(process.wait(timeout=PATIENCE), 0)

    def test_memory_is_bounded_however_long_the_file_is(self):
        self.up("-n", "1")
        path = os.path.join(self.home, "many")
        with open(path, "w", encoding="utf-8") as file:
            for k in range(700):
                file.write(f"{k} " + "x" * 100_000 + "\n")

        def peak(*words):
            process = subprocess.Popen([ZELL, *words], env=self.env, cwd=self.home, stdin=subprocess.DEVNULL,
                                       stdout=subprocess.DEVNULL)
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            self.assertEqual(process.returncode, 0)
            return usage.ru_maxrss << 10

        # The floor is what a process weighs that has just been made, and this one's own.
        floor = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10
        self.assertLess(peak("sign", "--lines", "many", "-o", "many.signed", "--json"), max(64 << 20, floor + (16 << 20)))
        self.assertGreater(os.path.getsize(os.path.join(self.home, "many.signed")), 133 << 20)
        self.assertLess(peak("submit", "--signed", "many.signed", "--timeout", "60s"), max(64 << 20, floor + (16 << 20)))
        self.assertEqual(len(self.entries("--app", "default", "--from", "1")), 700)


class Wallets(SignCase):
    """eth_signTypedData_v4 as browser wallets do it: r, s, v = 27 or 28 and no public key beside it."""

    def test_what_a_wallet_signed_becomes_final(self):
        with open(os.path.join(ROOT, "tests", "vectors", "wallet_requests.json"), encoding="utf-8") as file:
            wallet = json.load(file)
        self.up("-n", str(wallet["nodes"]), "--seed", str(wallet["seed"]))
        with urllib.request.urlopen(self.api() + "/v1/genesis", timeout=PATIENCE) as answer:
            self.assertEqual(json.load(answer)["cluster_id"], wallet["cluster"],
                             "another cluster than was signed for: tests/interop/interop.py make")
        requests = wallet["requests"]
        for request in requests:
            self.assertEqual(sorted(request), ["app", "nonce", "payloads", "signature"])
            self.assertIn(request["signature"][-2:], ("1b", "1c"))
        # Nothing that was changed is taken as this wallet's.
        signature = bytes.fromhex(requests[0]["signature"][2:])
        order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
        high = signature[:32] + (order - int.from_bytes(signature[32:64], "big")).to_bytes(32, "big") + bytes([55 - signature[64]])
        for bad in (high, signature[:64] + b"\x00", signature[:64] + b"\x1d", bytes(65)):
            result = self.post({**requests[0], "signature": "0x" + bad.hex()})[0]
            self.assertEqual((result["state"], result["reason"]), ("refused", "bad-signature"))
        self.assertEqual([one["state"] for one in self.post({"requests": requests})], ["finalised"] * len(requests))
        entries = [one for one in self.entries("--from", "1") if one["address"] == wallet["address"]]
        self.assertEqual([(one["app"], one["nonce"], one["payloads"]) for one in entries],
                         [(one["app"], one["nonce"], one["payloads"]) for one in requests])
        # The same lines are signed requests in a file, too.
        lines = "".join(json.dumps(one) + "\n" for one in requests)
        self.assertIn("3 finalised, 0 failed", self.good("submit", "--signed", "-", stdin=lines).out)

    def test_the_example_in_javascript(self):
        try:
            packages.ethers.version()
        except packages.Unavailable as missing:
            self.skipTest(str(missing))
        self.up("-n", "1")
        shutil.copy(os.path.join(ROOT, "examples", "ethers-sign.mjs"), self.home)
        modules = os.path.join(os.environ.get("ZELL_INTEROP_NODE", os.getcwd()), "node_modules")
        os.symlink(modules, os.path.join(self.home, "node_modules"))
        for env, words in (({}, ("one",)), ({"KEY_FILE": "alice.json"}, ("two", "three", "four"))):
            self.good("key", "export", "alice", "-o", "alice.json", "--force")
            done = subprocess.run(["node", "ethers-sign.mjs", self.api(), *words], env={**os.environ, **env}, cwd=self.home,
                                  capture_output=True, text=True, timeout=PATIENCE, check=False)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            self.assertIn("finalised", done.stdout)
        last = self.entries("--tail", "1")[0]
        self.assertEqual((last["sender"], last["payloads"]), ("alice", ["0x" + word.encode().hex() for word in words]))


if __name__ == "__main__":
    unittest.main()
