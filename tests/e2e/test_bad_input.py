"""What a stranger can send to a running cluster: bad requests, garbage and slow bytes on each of its ports. Each is told
what is wrong where there is somebody to tell; no node ends; nothing final is lost; the cluster goes on."""

import glob
import http.client
import json
import os
import random
import socket
import time
import unittest

from harness import Case, free_base_port, wait_for

SEED = int(os.environ.get("ZELL_SEED", str(random.randrange(1 << 31))))


class BadInput(Case):
    def setUp(self):
        super().setUp()
        self.up()
        self.good("submit", "kept 1", "kept 2")
        self.kept = self.log()
        self.pids = {node["name"]: node["pid"] for node in self.good("status", "--json").json()["nodes"]}
        self.api = self.base_port + 1
        self.peer = self.base_port + 51
        self.sockets = sorted(glob.glob(f"{self.env['XDG_RUNTIME_DIR']}/zell/*.sock"))
        self.assertEqual(len(self.sockets), 5)  # the supervisor's and each node's

    def log(self):
        return [json.loads(line) for line in self.good("log", "--json").lines()]

    def unharmed(self):
        """The same processes, what was final still is, and more becomes final."""
        status = self.good("status", "--json").json()
        self.assertEqual({node["name"]: node["pid"] for node in status["nodes"]}, self.pids)
        self.assertEqual(status["health"], "healthy")
        self.assertEqual(self.log()[:len(self.kept)], self.kept)
        self.good("submit", "goes on")
        self.good("verify")

    def post(self, body, content_type="application/json", target="/v1/requests"):
        connection = http.client.HTTPConnection("127.0.0.1", self.api, timeout=30)
        connection.request("POST", target, body, {"Content-Type": content_type})
        response = connection.getresponse()
        document = json.loads(response.read())
        connection.close()
        return response.status, document

    def refused(self, status, code, body, content_type="application/json"):
        got, document = self.post(body, content_type)
        self.assertEqual((got, document["error"]["code"]), (status, code), document)
        self.assertTrue(document["error"]["reason"] and document["error"]["hint"], document)

    def one_result(self, request):
        status, document = self.post(json.dumps(request), target="/v1/requests?wait=finalised")
        self.assertEqual(status, 200, document)
        return document["results"][0]

    def signed(self, port):
        """The newest request of a cluster, as it was signed."""
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        connection.request("GET", "/v1/log?from=1")
        request = json.loads(connection.getresponse().read())["requests"][-1]
        connection.close()
        return request, {key: request[key] for key in ("app", "nonce", "payloads", "sender", "signature")}

    def test_bad_requests(self):
        for body in ("", "{", "[]", "\0", "[" * 100_000, '{"requests":[{}]}', '{"requests":7}'):
            with self.subTest(body=body[:20]):
                self.refused(400, "bad-json" if body in ("", "{", "\0", "[" * 100_000) else "bad-request", body)
        self.refused(400, "bad-request", b"garbage", "application/octet-stream")
        self.refused(415, "unsupported-type", "a=b", "text/plain")
        self.refused(413, "too-large", b"x" * ((8 << 20) + 1), "application/octet-stream")
        entry, request = self.signed(self.api)
        self.refused(413, "request-too-large", json.dumps({**request, "payloads": ["0x" + "61" * 300_000]}))

        # The same again is no error, and nothing new.
        again = self.one_result(request)
        self.assertEqual((again["state"], again["index"]), ("finalised", entry["index"]))
        flipped = request["signature"][:-4] + ("00" if request["signature"][-4:-2] != "00" else "01") + \
            request["signature"][-2:]
        for change in ({"signature": flipped}, {"payloads": ["0x00"]}, {"nonce": "1"}, {"app": "other"}):
            bad = self.one_result({**request, **change})
            self.assertEqual((bad["state"], bad["reason"]), ("refused", "bad-signature"), change)
            self.assertTrue(bad["hint"])
        self.assertEqual(len(self.log()), len(self.kept))
        self.unharmed()

    def test_a_request_signed_for_another_cluster(self):
        self.good("up", "other", "-n", "1", "--base-port", str(free_base_port()))
        self.good("submit", "for other", "--cluster", "other")
        port = self.good("status", "other", "--json").json()["nodes"][0]["api"].rsplit(":", 1)[1]
        bad = self.one_result(self.signed(int(port))[1])
        self.assertEqual((bad["state"], bad["reason"]), ("refused", "bad-signature"))
        self.assertIn("this cluster's id", bad["hint"])
        self.good("cluster", "rm", "other", "--force")
        self.unharmed()

    def test_requests_that_the_command_line_refuses(self):
        big = f"{self.home}/big"
        with open(big, "wb") as file:
            file.write(b"x" * 300_000)
        answer = self.bad(1, "submit", "--file", big)
        self.assertIn("refused (request-too-large)", answer.err)
        with open(big, "wb") as file:
            file.write(b"x" * (2 << 20))
        self.assertIn("has more than 1 MiB", self.bad(1, "submit", "--file", big).err)
        # A long line among good ones: those before it are final, and told.
        lines = self.bad(1, "submit", "--lines", "-", stdin="a\nb\n" + "x" * (2 << 20) + "\nc\n")
        self.assertIn("2 finalised, 0 failed", lines.out)
        self.assertIn("line 3 is too long", lines.err)
        self.bad(1, "submit", "x", "--app", "No App")
        # Each line is refused, but not each in a line of its own.
        many = self.bad(1, "submit", "--app", "No App", "--lines", "-", stdin="x\n" * 500)
        self.assertIn("0 finalised, 500 failed", many.out)
        self.assertIn("… and 495 more: bad-app", many.err)
        self.assertEqual(len(many.err.splitlines()), 6)
        self.unharmed()

    # ---- Bytes

    def raw(self, address):
        connection = socket.socket(socket.AF_UNIX if isinstance(address, str) else socket.AF_INET)
        connection.connect(address)  # without a limit: a Unix socket with one refuses while its queue is full
        connection.settimeout(30)
        return connection

    def ports(self):
        """All ports of n1, its control socket and the supervisor's."""
        return {"http": ("127.0.0.1", self.api), "peer": ("127.0.0.1", self.peer),
                **{os.path.basename(path): path for path in self.sockets}}

    @staticmethod
    def send(connection, data):
        """False when the other side has closed."""
        try:
            connection.sendall(data)
            return True
        except (BrokenPipeError, ConnectionResetError):
            return False

    @staticmethod
    def read_to_end(connection):
        got = b""
        try:
            while piece := connection.recv(65536):
                got += piece
        except ConnectionResetError:
            pass
        return got

    def test_garbage_on_each_port(self):
        chance = random.Random(SEED)
        print(f"ZELL_SEED={SEED}", flush=True)
        for name, address in self.ports().items():
            for size in (1, 100, 5_000, 300_000):
                with self.subTest(port=name, size=size), self.raw(address) as connection:
                    self.send(connection, chance.randbytes(size) + b"\n\r\n\r\n")
                    self.half_close(connection)
                    self.read_to_end(connection)
        self.unharmed()

    @staticmethod
    def half_close(connection):
        try:
            connection.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # the other side was quicker

    def test_what_belongs_to_another_port(self):
        http_bytes = b"GET /v1/status HTTP/1.1\r\nHost: localhost\r\n\r\n"
        with self.raw(("127.0.0.1", self.peer)) as connection:
            self.send(connection, http_bytes)
            self.assertEqual(self.read_to_end(connection), b"")
        for path in self.sockets:
            with self.subTest(socket=path), self.raw(path) as connection:
                self.send(connection, http_bytes)
                self.half_close(connection)
                for line in self.read_to_end(connection).splitlines():
                    self.assertIn("error", json.loads(line))
        self.unharmed()

    def test_a_frame_of_4_gib_on_the_peer_port(self):
        before = self.memory("n1")
        for announced in (b"\xff\xff\xff\xff", b"\xff\xff\xff\xff" + b"x" * 100_000, b"\x00\x00\x02\x01", b"\0\0\0\0"):
            with self.raw(("127.0.0.1", self.peer)) as connection:
                self.send(connection, announced)
                self.assertEqual(self.read_to_end(connection), b"")  # closed at its length: nothing is waited for
        self.assertLess(self.memory("n1") - before, 64 << 20)
        self.unharmed()

    def memory(self, name):
        with open(f"/proc/{self.pids[name]}/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def test_a_peer_that_is_no_member(self):
        cluster = bytes.fromhex(self.status_of_node()["cluster_id"][2:])
        cause = {}
        for what, cluster_id, member in (("wrong-cluster", bytes(32), 1), ("unknown-member", cluster, 99)):
            hello = b"\1zellmesh" + (1).to_bytes(4, "big") + cluster_id + member.to_bytes(2, "big") + bytes(32)
            with self.raw(("127.0.0.1", self.peer)) as connection:
                self.send(connection, len(hello).to_bytes(4, "big") + hello)
                cause[what] = self.read_to_end(connection)
        self.assertEqual(cause, {"wrong-cluster": b"\0\0\0\2\3\3", "unknown-member": b"\0\0\0\2\3\4"})
        # A member's name with another's key: it can say Hello, and prove nothing.
        hello = b"\1zellmesh" + (1).to_bytes(4, "big") + cluster + (1).to_bytes(2, "big") + bytes(32)
        with self.raw(("127.0.0.1", self.peer)) as connection:
            self.send(connection, len(hello).to_bytes(4, "big") + hello)
            self.assertEqual(len(connection.recv(83, socket.MSG_WAITALL)), 83)  # its own Hello, nothing signed
            proof = b"\2" + bytes(range(1, 66))
            self.send(connection, len(proof).to_bytes(4, "big") + proof)
            self.assertIn(b"\0\0\0\2\3", self.read_to_end(connection))
        logged = lambda why: why in self.good("node", "logs", "n1").out
        for why in ("wrong-cluster", "unknown-member", "bad-proof"):
            self.assertTrue(wait_for(lambda: logged(why), 10), why)
        self.unharmed()

    def status_of_node(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.api, timeout=30)
        connection.request("GET", "/v1/status")
        status = json.loads(connection.getresponse().read())
        connection.close()
        return status

    def test_slow_bytes_hold_nobody_up(self):
        """Dribbled on each port at once, many times over, while requests are submitted."""
        slow = {"http": b"POST /v1/requests HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n{",
                "peer": b"\0\0\0\x4f\1zellmesh"}
        connections = []
        for name, address in self.ports().items():
            for _ in range(20):
                connection = self.raw(address)
                self.addCleanup(connection.close)
                connections.append((connection, slow.get(name, b'{"command":')))
        for position in range(40):
            for connection, data in connections:
                if position < len(data):
                    self.send(connection, data[position:position + 1])
            if position % 10 == 0:
                began = time.monotonic()
                self.good("submit", f"meanwhile {position}", "--to", "n1")
                self.assertLess(time.monotonic() - began, 10)
                self.good("status")
        self.unharmed()  # they are still there


if __name__ == "__main__":
    unittest.main()
