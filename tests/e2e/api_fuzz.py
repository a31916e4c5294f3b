#!/usr/bin/env python3
"""Schemathesis against a live node, from the OpenAPI document that the node serves.

    python3 -m venv /tmp/fuzz && /tmp/fuzz/bin/pip install schemathesis
    build/zell cluster run -- /tmp/fuzz/bin/python tests/e2e/api_fuzz.py [--max-examples N] [--seed N]

Asks the node at ZELL_URL, or at --url. Exit code: Schemathesis'; 2 where that is not installed. Not part of the test command,
which has test_openapi.py: it does with Python alone what this does better.
"""

import argparse
import importlib.util
import os
import subprocess
import sys
import tempfile

CONFIG = """
# A stream has no end.
max-stream-events = 1

# A wait is as long as it is asked to be: at most a minute. Made-up ones are kept short, or most of an hour is waiting.
[parameters]
"query.timeout_ms" = 50
"query.wait_ms" = 50

# What is too much is 413.
[checks]
negative_data_rejection.expected-statuses = [400, 403, 404, 405, 409, 413, 415, 421, 429]

# What is right by itself and wrong together is said in words, not in schemas: first above second, a signature of 64 bytes
# without sender, bytes that are no canonical request.
[[operations]]
include-operation-id = ["submitRequests", "readLog", "proveConsistency"]
checks.positive_data_acceptance.enabled = false

# Its text is described in words: each event would be checked as if it were the whole.
[[operations]]
include-operation-id = ["followLog"]
checks.response_schema_conformance.enabled = false
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--url", default=os.environ.get("ZELL_URL"), help="of a node's API; ZELL_URL by default")
    parser.add_argument("--max-examples", type=int, default=100, help="for each operation and kind of test")
    parser.add_argument("--seed", type=int, help="to repeat a run")
    options = parser.parse_args()
    if not options.url:
        parser.error("no --url and no ZELL_URL. try: zell cluster run -- python3 tests/e2e/api_fuzz.py")
    if importlib.util.find_spec("schemathesis") is None:
        print("schemathesis is not installed for this Python. try: pip install schemathesis", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as folder:
        config = os.path.join(folder, "schemathesis.toml")
        with open(config, "w") as file:
            file.write(CONFIG)
        seed = ["--seed", str(options.seed)] if options.seed is not None else []
        run = [sys.executable, "-m", "schemathesis.cli", "--config-file", config, "run", options.url + "/v1/openapi.json",
               "--max-examples", str(options.max_examples), *seed]
        return subprocess.run(run, cwd=folder).returncode  # it keeps notes where it runs


if __name__ == "__main__":
    sys.exit(main())
