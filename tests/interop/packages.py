"""The other programs' packages, where they are installed: README.md tells how. Each is run as a process of its own."""

import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))


class Package:
    def __init__(self, name, command, missing):
        self.name, self.command, self.missing = name, command, missing

    def ask(self, *operations):
        """Its answers. Raises Unavailable if it is not installed."""
        try:
            done = subprocess.run(self.command, input=json.dumps(operations), capture_output=True, text=True, timeout=300)
        except OSError as error:
            raise Unavailable(f"{self.name}: {error}; {self.missing}") from error
        if done.returncode != 0:
            not_there = any(words in done.stderr for words in ("Cannot find module", "No module named"))
            why = f"{self.name}: {done.stderr.strip()[-400:]}; {self.missing}"
            raise Unavailable(why) if not_there else AssertionError(why)
        return json.loads(done.stdout)

    def version(self):
        return self.ask({"op": "version"})[0]["version"]

    def write(self, **operation):
        answer = self.ask({"op": "write", **operation})[0]
        if "error" in answer:
            raise AssertionError(f"{self.name} can't write: {answer}")
        return answer["json"]

    def read(self, text, password):
        """{"secret", "address"}, or {"error"}."""
        return self.ask({"op": "read", "json": text, "password": password})[0]


class Unavailable(Exception):
    pass


ethers = Package("ethers", ["node", os.path.join(HERE, "ethers_tool.cjs")],
                 "npm install ethers, and name its folder in ZELL_INTEROP_NODE")
eth_account = Package("eth-account", [os.environ.get("ZELL_INTEROP_PYTHON", sys.executable),
                                      os.path.join(HERE, "eth_account_tool.py")],
                      "pip install eth-account, and name that Python in ZELL_INTEROP_PYTHON")
geth = Package("geth", [os.environ.get("ZELL_INTEROP_GETH", os.path.join(HERE, "geth_tool", "geth_tool"))],
               "go build in tests/interop/geth_tool, and name the result in ZELL_INTEROP_GETH")
ALL = (ethers, eth_account, geth)
