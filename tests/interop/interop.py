#!/usr/bin/env python3
"""Key files and signatures of other programs' packages against zell: README.md.

    interop.py make     write tests/vectors/keystore and tests/vectors/wallet_requests.json anew, then check
    interop.py check    open every file with every package and with zell, zell's with the packages, and sign live
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import urllib.request

import packages
from typed_data import typed_data

HERE = os.path.dirname(os.path.abspath(__file__))
VECTORS = os.path.join(HERE, "..", "vectors")
KEYSTORE = os.path.join(VECTORS, "keystore")
WALLET = os.path.join(VECTORS, "wallet_requests.json")
ZELL = os.path.abspath(os.environ.get("ZELL", os.path.join(HERE, "..", "..", "build", "zell")))
SEED, NODES = 7, 1  # the cluster that the wallet's requests are for: `zell up -n 1 --seed 7` is always the same one
WORDS = "test test test test test test test test test test test junk"


def secret_of(name):
    return "0x" + hashlib.sha256(b"zell interop " + name.encode()).hexdigest()


class Home:
    """Where zell leaves nothing behind."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="zell-interop-")
        names = {"HOME": "home", "XDG_DATA_HOME": "data", "XDG_STATE_HOME": "state", "XDG_CONFIG_HOME": "config",
                 "XDG_RUNTIME_DIR": "run", "TMPDIR": "tmp"}
        self.env = {"PATH": os.environ["PATH"], **{key: os.path.join(self.folder, name) for key, name in names.items()}}
        for key in names:
            os.mkdir(self.env[key], 0o700)

    def zell(self, *words, stdin=""):
        done = subprocess.run([ZELL, *words], input=stdin, capture_output=True, text=True, env=self.env, cwd=self.folder,
                              check=False)
        if done.returncode != 0:
            raise AssertionError(f"zell {words}: exit {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    def file(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w", opener=lambda file, flags: os.open(file, flags, 0o600), encoding="utf-8") as file:
            file.write(text)
        return path

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for cluster in json.loads(self.zell("cluster", "ls", "--json"))["clusters"]:
            self.zell("cluster", "rm", cluster["name"], "--force")
        shutil.rmtree(self.folder)


# ---- Key files

# writer, cost, passphrase
WRITTEN = [("ethers", "default", "correct horse"), ("ethers", "light", "correct horse"),
           ("eth-account", "default", "correct horse"), ("eth-account", "light", "correct horse"),
           ("eth-account", "pbkdf2", "correct horse"), ("eth-account", "pbkdf2-light", "Zürich \U0001f511"),
           ("geth", "default", "correct horse"), ("geth", "light", " spaces kept ")]


def write_other(package, cost, passphrase):
    name = f"{package.name}-{cost}"
    secret = secret_of(name)
    text = package.write(secret=secret, password=passphrase, cost=cost)
    return entry(name, package, cost, passphrase, secret, text)


def write_mnemonic():
    answer = packages.ethers.ask({"op": "write-mnemonic", "words": WORDS, "password": "correct horse"})[0]
    return entry("ethers-mnemonic", packages.ethers, "light", "correct horse", answer["secret"], answer["json"])


def entry(name, package, cost, passphrase, secret, text):
    return {"file": name + ".json", "writer": package.name, "version": package.version(), "cost": cost, "dev": False,
            "passphrase": passphrase, "secret": secret, "text": text}


def write_ours(home):
    version = json.loads(home.zell("version", "--json"))["version"]
    for name, dev in (("zell-own", False), ("zell-dev", True)):
        passphrase = "" if dev else "correct horse"
        secret = secret_of(name)
        how = ["--dev"] if dev else ["--password-file", home.file("pass", passphrase + "\n")]
        home.zell("key", "import", name, "--hex", "-", *how, stdin=secret)
        yield {"file": name + ".json", "writer": "zell", "version": version, "cost": "light" if dev else "default",
               "dev": dev, "passphrase": passphrase, "secret": secret, "text": home.zell("key", "export", name)}


def make_keystore(home):
    entries = [write_other(package, cost, passphrase) for name, cost, passphrase in WRITTEN
               for package in packages.ALL if package.name == name]
    entries += [write_mnemonic(), *write_ours(home)]
    for one in entries:
        with open(os.path.join(KEYSTORE, one["file"]), "w", encoding="utf-8") as file:
            file.write(one.pop("text").rstrip("\n") + "\n")
    with open(os.path.join(KEYSTORE, "manifest.json"), "w", encoding="utf-8") as file:
        json.dump(entries, file, indent=1, ensure_ascii=False)
        file.write("\n")


def keystore():
    with open(os.path.join(KEYSTORE, "manifest.json"), encoding="utf-8") as file:
        for one in json.load(file):
            with open(os.path.join(KEYSTORE, one["file"]), encoding="utf-8") as key_file:
                yield one, key_file.read()


def check_package(package):
    """It opens every file, and none with a wrong passphrase."""
    for one, text in keystore():
        opened = package.read(text, one["passphrase"])
        if opened.get("secret") != one["secret"]:
            raise AssertionError(f"{package.name} does not open {one['file']}: {opened.get('error')}")
        if one["cost"].endswith("light"):
            refused = package.read(text, one["passphrase"] + "x")
            if "error" not in refused:
                raise AssertionError(f"{package.name} opens {one['file']} with a wrong passphrase")
        print(f"ok  {package.name:12} opens {one['file']}", flush=True)


def check_zell(home):
    for one, text in keystore():
        name = "in-" + one["file"].removesuffix(".json")
        passphrase = home.file("pass", one["passphrase"] + "\n")
        home.zell("key", "import", name, home.file("foreign.json", text), "--password-file", passphrase)
        found = home.zell("key", "export", name, "--hex", "--yes", "--password-file", passphrase).strip()
        if found != one["secret"]:
            raise AssertionError(f"zell does not open {one['file']}")
        print(f"ok  {'zell':12} opens {one['file']}", flush=True)


def check_fresh(home, package):
    """A key of zell's, made now and given out under a new passphrase, opens there; and one from there opens here."""
    name = "fresh-" + package.name
    home.zell("key", "new", name, "--password-file", home.file("pass", "old\n"))
    given = home.zell("key", "export", name, "--password-file", home.file("pass", "old\n"), "--new-password-file",
                      home.file("new", "a new one\n"))
    secret = home.zell("key", "export", name, "--hex", "--yes", "--password-file", home.file("pass", "old\n")).strip()
    if package.read(given, "a new one").get("secret") != secret:
        raise AssertionError(f"{package.name} does not open a fresh key")
    back = package.write(secret=secret, password="theirs", cost="light")
    home.zell("key", "import", name + "-back", home.file("back.json", back), "--password-file",
              home.file("pass", "theirs\n"))
    print(f"ok  {package.name:12} and zell open what the other has just written", flush=True)


# ---- A wallet's signatures

REQUESTS = [("default", 1_700_000_000_000_001, [b"hello from a wallet"]),
            ("chat", 1_700_000_000_000_002, [b"", b"a bundle", bytes(range(256)), b"of", b"five"]),
            ("default", 9_007_199_254_740_993, [b"a nonce above 2^53"])]


def with_cluster(home):
    """The address of a node of the cluster that the requests are for, and what it answers about its genesis."""
    home.zell("up", "wallet", "-n", str(NODES), "--seed", str(SEED))
    url = json.loads(home.zell("status", "wallet", "--json"))["nodes"][0]["api"]
    with urllib.request.urlopen(url + "/v1/genesis", timeout=30) as answer:
        return url, json.load(answer)


def sign(package, secret, genesis, app, nonce, payloads):
    """As JavaScript in a page would: without the sender, which the node recovers."""
    typed = typed_data(genesis, app, nonce, payloads)
    answer = package.ask({"op": "sign-typed-data", "secret": secret, "typed": typed})[0]
    if "error" in answer:
        raise AssertionError(f"{package.name}: {answer}")
    return answer["address"], {"app": app, "nonce": str(nonce), "payloads": ["0x" + one.hex() for one in payloads],
                               "signature": answer["signature"]}


def make_wallet(home):
    _, genesis = with_cluster(home)
    secret = secret_of("wallet")
    signed = [sign(packages.ethers, secret, genesis, *request) for request in REQUESTS]
    with open(WALLET, "w", encoding="utf-8") as file:
        json.dump({"about": "Wallet.signTypedData (eth_signTypedData_v4) over requests for `zell up -n 1 --seed 7`",
                   "writer": "ethers", "version": packages.ethers.version(), "seed": SEED, "nodes": NODES,
                   "cluster": genesis["cluster_id"], "secret": secret, "address": signed[0][0],
                   "requests": [request for _, request in signed]}, file, indent=1)
        file.write("\n")


def post(url, body):
    call = urllib.request.Request(url + "/v1/requests?wait=finalised", json.dumps(body).encode(),
                                  {"Content-Type": "application/json"})
    with urllib.request.urlopen(call, timeout=60) as answer:
        return json.load(answer)["results"]


def check_signing(home, url, genesis, package):
    address, request = sign(package, secret_of("live " + package.name), genesis, "default", 5, [b"live", b"wire"])
    result = post(url, request)[0]
    if result["state"] != "finalised":
        raise AssertionError(f"a signature of {package.name} is not taken: {result}")
    entries = [json.loads(line) for line in home.zell("log", "--cluster", "wallet", "--json").splitlines()]
    if [one["address"] for one in entries if one["id"] == result["id"]] != [address]:
        raise AssertionError(f"a request that {package.name} signed is another sender's")
    print(f"ok  {package.name:12} signs a request that becomes final", flush=True)


def main():
    if sys.argv[1:] not in (["make"], ["check"]):
        sys.exit(__doc__)
    found = []
    for package in packages.ALL:
        try:
            print(f"    {package.name} {package.version()}", flush=True)
            found.append(package)
        except packages.Unavailable as missing:
            print(f"--  not installed: {missing}", flush=True)
    with Home() as home:
        if sys.argv[1] == "make":
            if len(found) != len(packages.ALL):
                sys.exit("make needs all of them")
            make_keystore(home)
            make_wallet(home)
        check_zell(home)
        for package in found:
            check_package(package)
            check_fresh(home, package)
    with Home() as home:
        url, genesis = with_cluster(home)
        for package in found:
            if package is not packages.geth:
                check_signing(home, url, genesis, package)
    if not found:
        sys.exit("nothing was checked against another program: none is installed")


if __name__ == "__main__":
    main()
