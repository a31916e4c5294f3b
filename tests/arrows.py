#!/usr/bin/env python3
"""The allowed arrows between the parts, read off the includes, and the purity of the consensus core."""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent

ALLOWED = {
    "node/base": set(),
    "node/types": {"node/base"},
    "node/metrics": {"node/base"},
    "node/crypto": {"node/base", "node/types"},
    "node/wire": {"node/base", "node/types", "node/crypto"},
    "node/consensus": {"node/base", "node/types", "node/crypto", "node/wire"},
    "node/storage": {"node/base", "node/types", "node/crypto", "node/wire", "node/metrics"},
    "node/transport": {"node/base", "node/types", "node/crypto", "node/wire"},
    "node/config": {"node/base", "node/types", "node/crypto", "node/wire"},
    "node/http": {"node/base", "node/types", "node/crypto", "node/wire", "node/metrics"},
    "node/runtime": {"node/"},
    "client": {"node/base", "node/types", "node/crypto", "node/wire", "node/config"},
    # The manager makes the members' vote state, once, together with the cluster: storage's create_store.
    "cluster": {"client", "node/base", "node/types", "node/crypto", "node/wire", "node/config", "node/storage"},
    # Measures what a node is made of, too: hashes and signatures, the store, loopback connections.
    "cluster/load": {"cluster", "client", "node/base", "node/types", "node/crypto", "node/wire", "node/config",
                     "node/storage", "node/transport"},
    "cli": {"node/", "client", "cluster"},
    "examples": {"node/base", "node/types", "node/crypto", "node/wire", "node/config", "client"},
}
# Only these parts may see an outside library's header.
OUTSIDE = {
    r"uv\.h": {"node/transport", "node/http", "node/runtime", "cluster", "cluster/load"},
    r"sqlite3\.h": {"node/storage"},
    r"secp256k1.*": {"node/crypto", "cluster/load"},
    r"openssl/.*|cryptopp/.*|crypto\+\+/.*": {"node/crypto"},
    r"toml\+\+/.*": {"node/config", "cluster"},
    r"CLI/.*": {"cli"},
    r"microhttpd\.h": {"node/http"},
    r"curl/.*": {"client"},
    r"spdlog/.*": {"node/runtime"},
}
IMPURE = re.compile(
    r"#include <(uv\.h|sqlite3\.h|thread|mutex|atomic|future|condition_variable|random|fstream|iostream|filesystem|ctime|"
    r"sys/.*|unistd\.h|time\.h)>|_clock::now|std::rand\b|getenv|\b(open|fopen|getrandom)\("
)


def part_of(path):
    return max((part for part in ALLOWED if path.startswith(part + "/")), key=len, default=None)


def main():
    wrong = []
    files = [p for top in ("node", "client", "cluster", "cli", "examples") for p in sorted((ROOT / top).rglob("*"))
             if p.suffix in (".h", ".cpp")]
    for file in files:
        name = file.relative_to(ROOT).as_posix()
        part = part_of(name)
        if part is None:
            wrong.append(f"{name}: in no known part")
            continue
        text = file.read_text()
        for number, line in enumerate(text.splitlines(), 1):
            where = f"{name}:{number}"
            if match := re.match(r'#include "([^"]+)"', line):
                target = part_of(match[1])
                if match[1].startswith("tests/"):
                    wrong.append(f"{where}: nothing may include tests")
                elif target and target != part and not any(target.startswith(a) for a in ALLOWED[part]):
                    wrong.append(f"{where}: {part} must not see {target}")
            elif match := re.match(r"#include <([^>]+)>", line):
                for header, parts in OUTSIDE.items():
                    if re.fullmatch(header, match[1]) and part not in parts:
                        wrong.append(f"{where}: {part} must not see <{match[1]}>")
            if part == "node/consensus" and IMPURE.search(line):
                wrong.append(f"{where}: the core is pure: {line.strip()}")
    print("\n".join(wrong) or f"{len(files)} files keep to the arrows")
    return 1 if wrong or len(files) < 50 else 0


sys.exit(main())
