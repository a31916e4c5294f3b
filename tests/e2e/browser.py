"""Chromium without a window, told what to do over a pipe (the DevTools protocol). The standard library only."""

import base64
import fcntl
import json
import os
import select
import shutil
import subprocess
import time

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"))), None)
PATIENCE = 120  # seconds


class Browser:
    """One page. Keeps what it asked the network for, and what went wrong in it."""

    def __init__(self, profile):
        to_browser, from_browser = os.pipe(), os.pipe()
        # Above 4, where the browser wants them: nothing is overwritten on the way.
        child = [fcntl.fcntl(fd, fcntl.F_DUPFD, 10) for fd in (to_browser[0], from_browser[1])]
        for fd in (to_browser[0], from_browser[1]):
            os.close(fd)
        self.out, self.back = to_browser[1], from_browser[0]

        def place():
            os.dup2(child[0], 3)
            os.dup2(child[1], 4)

        self.process = subprocess.Popen(
            [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe", "--no-first-run",
             "--disable-background-networking", f"--user-data-dir={profile}", "about:blank"],
            preexec_fn=place, pass_fds=(3, 4), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, env={**os.environ, "HOME": profile})
        for fd in child:
            os.close(fd)
        self.unread, self.events, self.next_id, self.session = b"", [], 1, None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for part in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{part}.enable")

    def close(self):
        os.close(self.out)
        os.close(self.back)
        self.process.kill()
        self.process.wait()

    def read(self, deadline):
        while b"\0" not in self.unread:
            ready, _, _ = select.select([self.back], [], [], max(0, deadline - time.monotonic()))
            data = os.read(self.back, 1 << 16) if ready else b""
            if not data:
                raise AssertionError("the browser does not answer")
            self.unread += data
        message, self.unread = self.unread.split(b"\0", 1)
        return json.loads(message)

    def call(self, method, **params):
        message = {"id": self.next_id, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        self.next_id += 1
        os.write(self.out, json.dumps(message).encode() + b"\0")
        deadline = time.monotonic() + PATIENCE
        while True:
            answer = self.read(deadline)
            if answer.get("id") == message["id"]:
                if "error" in answer:
                    raise AssertionError(f"{method}: {answer['error']}")
                return answer["result"]
            self.events.append(answer)

    def open(self, url, width=1100, height=900, dark=False):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600)
        self.call("Emulation.setEmulatedMedia",
                  features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])
        self.events.clear()
        self.call("Page.navigate", url=url)
        deadline = time.monotonic() + PATIENCE
        while not self.seen("Page.loadEventFired"):
            self.events.append(self.read(deadline))

    def seen(self, method):
        return [event["params"] for event in self.events if event.get("method") == method]

    def requested(self):
        return [event["request"]["url"] for event in self.seen("Network.requestWillBeSent")]

    def complaints(self):
        return (self.seen("Runtime.exceptionThrown")
                + [event for event in self.seen("Runtime.consoleAPICalled") if event["type"] in ("error", "warning", "assert")]
                + [event for event in self.seen("Log.entryAdded") if event["entry"]["level"] in ("error", "warning")])

    def evaluate(self, expression):
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        if "exceptionDetails" in answer:
            raise AssertionError(f"{expression}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def screenshot(self, path):
        data = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True)["data"]
        with open(path, "wb") as file:
            file.write(base64.b64decode(data))
