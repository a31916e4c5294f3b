"""The API is what its OpenAPI document says: every answer has its status, type and schema, whatever is asked."""

import http.client
import json
import os
import random
import re
import urllib.parse

import harness
import json_schema
import prometheus_text

ROUNDS = int(os.environ.get("ZELL_API_ROUNDS", "40"))  # a route
SUBMISSION = {"$ref": "#/components/schemas/Submission"}
SOON = 300  # ms: the most that a made-up wait waits


class Api:
    """One node, and the document that it serves."""

    def __init__(self, url):
        self.address = urllib.parse.urlsplit(url).netloc
        self.connection = http.client.HTTPConnection(self.address, timeout=harness.PATIENCE)
        status, headers, body = self.call("GET", "/v1/openapi.json")
        assert status == 200, body
        self.document = json.loads(body)
        self.schemas = json_schema.Schemas(self.document)

    def call(self, method, target, body=None, headers=None):
        self.connection.request(method, target, body=body, headers=headers or {})
        answer = self.connection.getresponse()
        if answer.headers["Content-Type"] != "text/event-stream":
            return answer.status, answer.headers, answer.read()
        first = answer.readline()  # there is no end to it
        self.connection.close()
        return answer.status, answer.headers, first

    def operations(self):
        for path, item in self.document["paths"].items():
            for method, operation in item.items():
                yield method.upper(), path, operation

    def wrong_with(self, operation, status, headers, body):
        """Why the document does not allow this answer; empty if it does."""
        if str(status) not in operation["responses"]:
            return [f"status {status} is not documented: {body[:300]!r}"]
        response = self.schemas.resolve(operation["responses"][str(status)])
        kind = headers["Content-Type"].partition(";")[0]
        if kind not in response["content"]:
            return [f"{kind} is not documented for {status}"]
        out = [f"no {name}" for name, header in response.get("headers", {}).items()
               if header.get("required") and name not in headers]
        for name, header in response.get("headers", {}).items():
            if name in headers:
                out += self.schemas.errors(header["schema"], int(headers[name]), name)
        schema = response["content"][kind]["schema"]
        if kind == "application/json":
            return out + self.schemas.errors(schema, json.loads(body))
        if kind == "text/plain":
            prometheus_text.parse(body.decode())
        if kind == "text/event-stream" and not re.match(rb"(id|event|data|retry)?: ?\S", body):
            out.append(f"no line of an event: {body!r}")
        return out


def is_text_of(schemas, schema, text):
    """Whether a parameter of this schema may be this text."""
    if "oneOf" in schema:
        return any(is_text_of(schemas, part, text) for part in schema["oneOf"])
    if schema.get("type") != "integer":
        return schemas.errors(schema, text) == []
    return text.isascii() and text.isdigit() and schemas.errors(schema, int(text)) == []


def misfit(schemas, schema, rng):
    """A text that no parameter of this schema may be; None: not this time."""
    texts = ["", " ", "-1", "+1", "1.5", "0x10", "1e3", "1 ", "١", "null", "true", "\0", "%", "😀", "1\0", "9" * 30, "[]",
             "x" * 300, "ff" * 31]
    if schema.get("type") == "integer":
        texts += [str(schema["minimum"] - 1), str(schema["maximum"] + 1)]
    text = rng.choice(texts)
    return None if is_text_of(schemas, schema, text) else text


class OpenApi(harness.Case):
    def setUp(self):
        super().setUp()
        self.seed = int(os.environ.get("ZELL_SEED", random.randrange(1 << 32)))
        print(f"seed {self.seed}", flush=True)
        self.up()
        self.good("submit", *[f"payload {i}" for i in range(5)])
        self.api = Api(self.good("status", "--json").json()["nodes"][1]["api"])
        self.addCleanup(self.api.connection.close)

    def check(self, operation, answer, asked):
        wrong = self.api.wrong_with(operation, *answer)
        self.assertEqual(wrong, [], f"seed {self.seed}: {asked}\n{answer[2][:500]!r}")

    def test_every_answer_is_documented(self):
        with self.subTest("what a user asks"):
            self.ask_as_a_user()
        with self.subTest("examples"):
            self.check_examples()
        with self.subTest("parameters"):
            self.ask_at_random(random.Random(self.seed))
        with self.subTest("bodies"):
            self.post_at_random(random.Random(self.seed + 1))
        with self.subTest("methods and types"):
            self.ask_wrongly()
        # It is alive, and no worse for it.
        self.good("submit", "after all that")
        self.good("verify")

    def ask_as_a_user(self):
        page = json.loads(self.api.call("GET", "/v1/log")[2])
        first = page["requests"][1]
        request = f"/v1/requests/{first['id']}"
        targets = {"/v1/requests/{id}": [request, request + "?wait=finalised&timeout_ms=9000"],
                   "/v1/requests/{id}/proof": [request + "/proof"],
                   "/v1/log": ["/v1/log?from=2&max_bytes=1&unfinalised=1", f"/v1/log?from={page['next']}&wait_ms=50"],
                   "/v1/proof/inclusion": ["/v1/proof/inclusion?index=2"],
                   "/v1/proof/consistency": ["/v1/proof/consistency?first=1", "/v1/proof/consistency?first=2&second=2"]}
        for method, path, operation in self.api.operations():
            for target in targets.get(path, [path]) if method == "GET" else []:
                answer = self.api.call("GET", target)
                self.assertEqual(answer[0], 200, f"{target}: {answer[2]!r}")
                self.check(operation, answer, target)
        log = self.api.document["paths"]["/v1/log"]["get"]
        answer = self.api.call("GET", "/v1/log?from=1", headers={"Accept": "application/octet-stream"})
        self.assertEqual(answer[1]["Content-Type"], "application/octet-stream")
        self.check(log, answer, "binary")
        # The same signed request again, alone and in a list: it is final already.
        signed = {name: first[name] for name in ("app", "nonce", "payloads", "sender", "signature")}
        post = self.api.document["paths"]["/v1/requests"]["post"]
        for body in (signed, {"requests": [signed, signed]}):
            answer = self.post(json.dumps(body), "?wait=finalised")
            self.check(post, answer, body)
            for result in json.loads(answer[2])["results"]:
                self.assertEqual(result["state"], "finalised")
                self.assertEqual((result["id"], result["index"]), (first["id"], first["index"]))

    def check_examples(self):
        """An example is of its schema."""
        for _, path, operation in self.api.operations():
            media = [m for status in operation["responses"].values()
                     for m in self.api.schemas.resolve(status)["content"].values()]
            media += operation.get("requestBody", {}).get("content", {}).values()
            media += [one for one in operation.get("parameters", [])]
            for one in media:
                if "example" in one:
                    self.assertEqual(self.api.schemas.errors(one["schema"], one["example"]), [], path)

    def post(self, body, query="", kind="application/json"):
        if isinstance(body, str):
            body = body.encode("utf-8", "surrogatepass")
        return self.api.call("POST", "/v1/requests" + query, body, {"Content-Type": kind})

    def ask_at_random(self, rng):
        for method, path, operation in self.api.operations():
            for _ in range(ROUNDS):
                target, fits = self.random_target(path, operation, rng)
                accept = ["*/*", "application/json", "application/octet-stream", "text/html;q=0.1"]
                headers = {"Accept": rng.choice(accept)}
                body = None
                if method == "POST":
                    headers["Content-Type"] = "application/json"
                    body = json.dumps(self.api.schemas.make(SUBMISSION, rng))
                answer = self.api.call(method, target, body, headers)
                self.check(operation, answer, f"{method} {target} {headers}")
                why = f"seed {self.seed}: {method} {target}: {answer[2]!r}"
                if not fits:
                    self.assertIn(answer[0], (400, 404), why)
                elif answer[0] == 400:
                    # What is right by itself can be wrong together: only these.
                    self.assertIn(path, ("/v1/log", "/v1/proof/consistency", "/v1/requests"), why)
                self.assertLess(answer[0], 500, why)

    def random_target(self, path, operation, rng):
        """A target, and whether its parameters are what the document asks for."""
        known = [one for one in operation.get("parameters", []) if one["in"] != "header"]
        victim = rng.choice(known) if known and rng.random() < 0.5 else None
        fits, query = True, []
        for one in known:
            value = str(self.api.schemas.make(one["schema"], rng))
            waits = one["name"] in ("timeout_ms", "wait_ms")
            if waits:
                value = str(rng.randint(0, SOON))
            wrong = misfit(self.api.schemas, one["schema"], rng) if one is victim else None
            if wrong is not None and "/" not in wrong:
                value, fits = wrong, False
            quoted = urllib.parse.quote(value, safe="")
            if one["in"] == "path":
                path = path.replace("{id}", quoted)
            elif one is victim or waits or one.get("required") or rng.random() < 0.6:
                query.append(f"{one['name']}={quoted}")
        if rng.random() < 0.2:
            query.append(rng.choice([*query, "x=1", "FROM=1", "%00=1", "schema", "=", "%C3%A9=2"]))
            fits = False
        rng.shuffle(query)
        return path + ("?" + "&".join(query) if query else ""), fits

    def post_at_random(self, rng):
        operation = self.api.document["paths"]["/v1/requests"]["post"]
        schema, statuses = SUBMISSION, set()
        for _ in range(5 * ROUNDS):
            body = self.api.schemas.make(schema, rng)
            for _ in range(rng.choice([0, 1, 1, 2])):
                body = self.api.schemas.spoilt(body, rng)
            fits = self.api.schemas.errors(schema, body) == []
            text = json.dumps(body, ensure_ascii=rng.random() < 0.5)
            if rng.random() < 0.1:
                at = rng.randint(0, len(text) - 1)
                text, fits = text[:at], False  # no whole document, unless it is a number
                if not text or text.isdigit():
                    continue
            wait = rng.choice(["initialised", "finalised"])
            answer = self.post(text, f"?timeout_ms={rng.randint(0, SOON)}&wait={wait}")
            statuses.add(answer[0])
            self.check(operation, answer, text)
            self.assertTrue(fits or 400 <= answer[0] < 500, f"seed {self.seed}: {text!r} was answered {answer[2]!r}")
            self.assertLess(answer[0], 500, text)
        self.assertLessEqual({200, 400}, statuses)
        for size in (0, 1, 7, 300, 5_000):  # canonical requests are not what these are
            answer = self.post(rng.randbytes(size), kind="application/octet-stream")
            self.check(operation, answer, f"{size} random bytes")
            self.assertEqual(answer[0], 400)

    def ask_wrongly(self):
        error = {"$ref": "#/components/schemas/Error"}

        def check_error(answer, status, code):
            self.assertEqual((answer[0], json.loads(answer[2])["error"]["code"]), (status, code))
            self.assertEqual(self.api.schemas.errors(error, json.loads(answer[2])), [])

        for right, path, operation in self.api.operations():
            path = path.replace("{id}", "0x" + "ab" * 32)
            for method in ("GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "NONSENSE"):
                if method == right:
                    continue
                answer = self.api.call(method, path, "{}", {"Content-Type": "application/json"})
                check_error(answer, 405, "method-not-allowed")
                self.assertEqual(answer[1]["Allow"], right)
            for headers, status, code in (({"Host": "example.org"}, 421, "foreign-host"),
                                          ({"Origin": "http://example.org"}, 403, "foreign-origin")):
                answer = self.api.call(right, path, headers={"Content-Type": "application/json", **headers})
                self.check(operation, answer, f"{path} {headers}")
                check_error(answer, status, code)
        post = self.api.document["paths"]["/v1/requests"]["post"]
        for kind in ("text/plain", "", "application/jsonp"):
            answer = self.post("{}", kind=kind)
            self.check(post, answer, kind)
            check_error(answer, 415, "unsupported-type")
        too_long = self.post(b" " * (8 << 20) + b"{}")
        self.check(post, too_long, "too long")
        check_error(too_long, 413, "too-large")
        check_error(self.api.call("GET", "/v1/nothing"), 404, "unknown-route")


if __name__ == "__main__":
    import unittest
    unittest.main()
