"""A home of its own for each test, and ways to run zell in it. What a test started is gone when it ends."""

import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest

ZELL = os.environ.get("ZELL", os.path.join(os.path.dirname(__file__), "..", "..", "build", "zell"))
ZELL = os.path.abspath(ZELL)
PATIENCE = 120  # seconds; for machines that are busy with something else


class Answer:
    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    def json(self):
        return json.loads(self.out)

    def lines(self):
        return self.out.splitlines()

    def __repr__(self):
        return f"exit {self.code}\nstdout:\n{self.out}\nstderr:\n{self.err}"


RESERVED = []  # a socket each, whose name says which block of ports is somebody's until its test ends


def free_base_port(nodes=31):
    """A block whose ports are free, below the kernel's own range (from 32,768) and above what `zell cluster run` and
    `zell bench` choose from (to 29,999); no other test that runs beside this one gets it."""
    for _ in range(1000):
        base = random.randrange(300, 320) * 100
        name = socket.socket(socket.AF_UNIX)
        try:
            name.bind(f"\0zell-e2e-ports-{base}")
        except OSError:
            name.close()
            continue
        if all(is_free(base + 1 + k) and is_free(base + 51 + k) for k in range(nodes)):
            RESERVED.append(name)
            return base
        name.close()
    raise AssertionError("no free block of ports")


def is_free(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
            return True
        except OSError:
            return False


def is_alive(pid):
    """Not counting a zombie that nobody has collected yet."""
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] not in ("Z", "X")
    except (FileNotFoundError, ProcessLookupError):
        return False


def wait_for(what, seconds=PATIENCE):
    """For what announces itself to nobody, such as the end of somebody else's child."""
    end = time.monotonic() + seconds
    while not what():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


class Case(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.home = tempfile.mkdtemp(prefix="zell-e2e-")
        self.started = []
        self.addCleanup(self.clean_up)  # unlike tearDown, also when the set-up of a subclass fails
        folders = {"HOME": "home", "XDG_DATA_HOME": "data", "XDG_STATE_HOME": "state", "XDG_CONFIG_HOME": "config",
                   "XDG_RUNTIME_DIR": "run", "TMPDIR": "tmp"}
        self.env = {"PATH": os.path.dirname(ZELL) + ":/usr/bin:/bin", "LANG": "C.UTF-8"}
        # How a build with sanitizers reports what it finds.
        self.env.update({name: value for name, value in os.environ.items() if name.endswith("SAN_OPTIONS")})
        for variable, name in folders.items():
            self.env[variable] = os.path.join(self.home, name)
            os.mkdir(self.env[variable], 0o700)
        self.base_port = free_base_port()

    def clean_up(self):
        for process in self.started:
            if process.poll() is None:
                process.kill()
            process.communicate()
        for cluster in self.zell("cluster", "ls", "--json").json()["clusters"]:
            self.zell("cluster", "rm", cluster["name"], "--force")
        # Whatever a failed test left: only what runs in this very home.
        for pid in self.pids_of_home():
            os.kill(pid, signal.SIGKILL)
        shutil.rmtree(self.home, ignore_errors=True)
        while RESERVED:
            RESERVED.pop().close()

    def pids_of_home(self):
        pids = []
        for name in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{name}/cmdline", "rb") as file:
                    words = file.read()
                if self.home.encode() in words and is_alive(int(name)):
                    pids.append(int(name))
            except (FileNotFoundError, ProcessLookupError, PermissionError):
                continue
        return pids

    def zell(self, *words, stdin=None, env=None, timeout=PATIENCE):
        done = subprocess.run([ZELL, *words], input=stdin, capture_output=True, text=True, timeout=timeout,
                              env={**self.env, **(env or {})}, cwd=self.home,
                              stdin=None if stdin is not None else subprocess.DEVNULL)
        return Answer(done.returncode, done.stdout, done.stderr)

    def start(self, *words, **more):
        process = subprocess.Popen([ZELL, *words], env=self.env, cwd=self.home, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL, **more)
        self.started.append(process)
        return process

    def good(self, *words, **more):
        answer = self.zell(*words, **more)
        if answer.code != 0:
            # What the nodes did is gone once the test has cleaned up.
            seen = [self.zell(*look).out for look in (("status",), ("node", "logs", "--tail", "80"))]
            self.fail(f"zell {' '.join(words)}: {answer}\n" + "\n".join(seen))
        return answer

    def bad(self, code, *words, **more):
        answer = self.zell(*words, **more)
        self.assertEqual(answer.code, code, f"zell {' '.join(words)}: {answer}")
        return answer

    def up(self, *words):
        return self.good("up", "--base-port", str(self.base_port), *words)

    def line_matches(self, line, pattern):
        self.assertIsNotNone(re.fullmatch(pattern, line), f"{line!r} does not match {pattern!r}")

    def node(self, name):
        for node in self.zell("status", "--json").json()["nodes"]:
            if node["name"] == name:
                return node
        raise AssertionError(f"no node {name}")
