"""GET /v1/events of real nodes: nothing is missed, seen twice or out of order, whatever happens to the node that serves."""

import http.client
import json
import socket
import subprocess
import threading
import time
import unittest
import urllib.parse

import harness

NODES = 4


class Events:
    """A follower as a browser's EventSource is: it reads, is cut off, and comes back with the last id that it saw."""

    def __init__(self, url, query="from=1"):
        self.address = urllib.parse.urlsplit(url).netloc
        self.query = query
        self.last_id = None
        self.retry = 0.01
        self.requests, self.certificates, self.views = [], [], []
        self.connections = 0
        self.connection = self.answer = None

    def connect(self):
        self.close()
        connection = self.connection = http.client.HTTPConnection(self.address, timeout=harness.PATIENCE)
        headers = {"Accept": "text/event-stream"}
        if self.last_id is not None:
            headers["Last-Event-ID"] = self.last_id
        connection.request("GET", "/v1/events?" + self.query, headers=headers)
        self.answer = connection.getresponse()
        if self.answer.status != 200:
            raise AssertionError((self.answer.status, self.answer.read()))
        assert self.answer.headers["Content-Type"] == "text/event-stream", self.answer.headers
        assert not [name for name in self.answer.headers if name.lower().startswith("access-control")]
        self.connections += 1

    def one(self):
        """Reads up to the end of one event, or of what moves the id. False: the stream has ended."""
        kind, data, last_id = "message", None, self.last_id
        while True:
            line = self.answer.readline().decode()
            if not line.endswith("\n"):
                return False  # half an event does not count
            line = line[:-1]
            name, _, value = line.partition(": ")
            if line == "":
                break
            if name == "event":
                kind = value
            elif name == "data":
                assert data is None, "data on more than one line"
                data = value
            elif name == "id":
                last_id = value
            elif name == "retry":
                self.retry = int(value) / 1000
            else:
                assert line.startswith(":"), line
        self.last_id = last_id
        if data is not None:
            {"request": self.requests, "certificate": self.certificates, "view": self.views}[kind].append(json.loads(data))
        return True

    def read_until(self, enough, seconds=3 * harness.PATIENCE):
        """A whole test may wait here for its many commands. Comes back after the time that the node asked for, as long as it takes."""
        end = time.monotonic() + seconds
        while not enough():
            if time.monotonic() > end:
                raise AssertionError(f"only {len(self.requests)} requests, last {self.requests[-1:]}")
            try:
                if self.answer is None:
                    self.connect()
                if self.one():
                    continue
            except (OSError, http.client.HTTPException):
                pass
            self.answer = None
            time.sleep(self.retry)

    def get(self, target):
        """One of the node's other routes."""
        connection = http.client.HTTPConnection(self.address, timeout=harness.PATIENCE)
        try:
            connection.request("GET", target)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    def close(self):
        for one in (self.answer, self.connection):
            if one is not None:
                one.close()
        self.connection = self.answer = None


class EventStreams(harness.Case):
    def url(self, name):
        return self.node(name)["api"]

    def submit(self, count, word):
        self.good("submit", "--lines", "-", stdin="".join(f"{word} {i}\n" for i in range(count)), timeout=300)

    def log(self):
        return [json.loads(line) for line in self.good("log", "--json").lines()]

    def same_as_log(self, events):
        """As `zell log` has it, which shows in what view an entry was certified; and as the node's own route has it."""
        log = self.log()
        names = ("index", "state", "id", "app", "nonce", "payloads")
        self.assertEqual([{name: request[name] for name in names} for request in events.requests],
                         [{name: entry[name] for name in names} for entry in log])
        self.assertEqual([entry["index"] for entry in log], list(range(1, len(log) + 1)))
        pages = []
        while len(pages) < len(log):
            page = events.get(f"/v1/log?from={len(pages) + 1}")[1]["requests"]
            self.assertNotEqual(page, [])
            pages += page
        self.assertEqual(events.requests, pages)

    def test_nothing_is_missed_or_doubled_over_a_killed_leader_and_a_restarted_node(self):
        self.up("-n", str(NODES))
        leader = self.zell("status", "--json").json()["leader"]
        serving = next(f"n{i + 1}" for i in range(NODES) if f"n{i + 1}" != leader)
        events = Events(self.url(serving))
        failure = []

        def follow():
            try:
                events.read_until(lambda: events.requests and events.requests[-1]["payloads"] == ["0x" + b"last".hex()])
                events.read_until(lambda: events.certificates[-1]["index"] >= events.requests[-1]["index"])
            except Exception as error:  # shown by the test itself
                failure.append(error)

        follower = threading.Thread(target=follow)
        follower.start()
        load = subprocess.Popen([harness.ZELL, "submit", "--lines", "-"], env=self.env, cwd=self.home, text=True,
                                stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.started.append(load)
        load.stdin.write("".join(f"a {i}\n" for i in range(300)))
        load.stdin.flush()
        self.good("node", "kill", leader)
        load.stdin.write("".join(f"b {i}\n" for i in range(300)))
        load.stdin.close()
        self.assertEqual(load.wait(harness.PATIENCE), 0)
        load.stdin = None
        self.good("node", "start", leader)
        # The node that serves the stream: stopped and started, then killed and started.
        self.good("node", "stop", serving)
        self.submit(100, "c")
        self.good("node", "start", serving)
        # Not before the follower is back: it waits a second, as it was told.
        self.assertTrue(harness.wait_for(lambda: events.connections == 2))
        self.good("node", "kill", serving)
        self.submit(100, "d")
        self.good("node", "start", serving)
        self.good("submit", "last")
        follower.join(2 * harness.PATIENCE)
        self.assertFalse(follower.is_alive())
        self.assertEqual(failure, [])
        self.assertEqual(events.connections, 3)
        self.same_as_log(events)
        self.assertNotEqual({view["leader"] for view in events.views}, {leader})
        self.assertTrue(all(len(one["signatures"]) >= 3 for one in events.certificates))

        # Any other node goes on from the same id: it is the index in the log.
        there = Events(self.url(leader))
        there.last_id = str(events.requests[399]["index"])
        there.read_until(lambda: len(there.requests) == len(events.requests) - 400)
        without_view = [[{name: value for name, value in request.items() if name != "view"} for request in requests]
                        for requests in (there.requests, events.requests[400:])]
        self.assertEqual(*without_view)  # in what view it was sequenced, a node that has caught up may not know
        there.close()
        events.close()
        self.proofs_of_api(events)

    def proofs_of_api(self, events):
        """The same log by the other routes."""
        get = events.get
        end = events.requests[-1]["index"]
        status, at = get("/v1/certificate?at=5")
        self.assertEqual(status, 200)
        self.assertGreaterEqual(at["certificate"]["index"], 5)
        self.assertEqual(get(f"/v1/certificate?at={end + 1000}")[0], 409)
        status, proof = get("/v1/proof/inclusion?index=5")
        self.assertEqual((status, proof["request"]["id"]), (200, events.requests[4]["id"]))
        status, both = get(f"/v1/proof/consistency?first={at['certificate']['index']}&second={end}")
        self.assertEqual((status, both["first"]["root"]), (200, at["certificate"]["root"]))
        status, peers = get("/v1/peers")
        self.assertEqual((status, len(peers["peers"]), all(peer["up"] for peer in peers["peers"])), (200, NODES - 1, True))
        self.assertEqual(get("/v1/evidence"), (200, {"schema": 1, "evidence": []}))

    def test_one_client_with_all_connections_stops_neither_the_cluster_nor_its_operator(self):
        self.up("-n", str(NODES))
        port = int(self.url("n2").rpartition(":")[2])
        held = []
        try:
            for i in range(400):
                one = socket.socket()
                one.settimeout(harness.PATIENCE)
                one.connect(("127.0.0.1", port))
                # A third each: silent, a head that never ends, a stream that nobody reads.
                if i % 3 == 1:
                    one.sendall(b"GET /v1/status HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
                elif i % 3 == 2:
                    one.sendall(b"GET /v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
                held.append(one)
            # Through the other nodes the cluster is served, and n2 takes part; it is operated through its own socket.
            self.good("submit", "through others")
            self.good("node", "pause", "n2")
            self.good("node", "resume", "n2")
            self.good("node", "restart", "n2")
        finally:
            for one in held:
                one.close()
        self.good("cluster", "wait")
        self.good("verify")


if __name__ == "__main__":
    unittest.main()
