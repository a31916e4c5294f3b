"""JSON Schema as far as node/http/openapi.json uses it: a checker, and a maker of values. Other keywords are errors."""

import copy
import re
import string

NOTES = {"description", "example", "default", "$ref"}
KEYWORDS = {"type", "const", "enum", "pattern", "minLength", "maxLength", "minimum", "maximum", "items", "minItems",
            "maxItems", "required", "properties", "additionalProperties", "oneOf", "anyOf", "allOf"}


def is_of_type(value, name):
    if name == "integer":
        return isinstance(value, int) and not isinstance(value, bool)
    kinds = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None)}
    return isinstance(value, kinds[name])


class Schemas:
    """`document` is where a $ref leads to."""

    def __init__(self, document):
        self.document = document

    def resolve(self, schema):
        while "$ref" in schema:
            assert set(schema) <= NOTES, f"beside $ref: {schema}"
            target = self.document
            for step in schema["$ref"].removeprefix("#/").split("/"):
                target = target[step]
            schema = target
        return schema

    def errors(self, schema, value, where="$"):
        """What is wrong with the value; empty if nothing is."""
        schema = self.resolve(schema)
        unknown = set(schema) - KEYWORDS - NOTES
        assert not unknown, f"{where}: unknown keywords {unknown}"
        out = []
        if "type" in schema and not is_of_type(value, schema["type"]):
            return [f"{where}: {value!r} is no {schema['type']}"]
        if "const" in schema and value != schema["const"]:
            out.append(f"{where}: {value!r} is not {schema['const']!r}")
        if "enum" in schema and value not in schema["enum"]:
            out.append(f"{where}: {value!r} is none of {schema['enum']}")
        if isinstance(value, str):
            out += self.text_errors(schema, value, where)
        elif isinstance(value, dict):
            out += self.object_errors(schema, value, where)
        elif isinstance(value, list):
            out += self.list_errors(schema, value, where)
        elif isinstance(value, int) and not isinstance(value, bool):
            if not schema.get("minimum", value) <= value <= schema.get("maximum", value):
                out.append(f"{where}: {value} is out of range")
        for part in schema.get("allOf", []):
            out += self.errors(part, value, where)
        if "anyOf" in schema and all(self.errors(part, value, where) for part in schema["anyOf"]):
            out.append(f"{where}: none of anyOf fits")
        if "oneOf" in schema:
            tried = [self.errors(part, value, where) for part in schema["oneOf"]]
            if tried.count([]) != 1:
                out.append(f"{where}: {tried.count([])} of oneOf fit: {tried}")
        return out

    def text_errors(self, schema, value, where):
        out = []
        # JSON Schema's $ is the end of the text, not also the place before a last newline.
        if "pattern" in schema and not re.search(schema["pattern"].replace("$", r"\Z"), value):
            out.append(f"{where}: {value[:100]!r} does not match {schema['pattern']}")
        if not schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value)):
            out.append(f"{where}: {len(value)} characters")
        return out

    def list_errors(self, schema, value, where):
        out = []
        if not schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value)):
            out.append(f"{where}: {len(value)} items")
        for number, item in enumerate(value):
            out += self.errors(schema.get("items", {}), item, f"{where}[{number}]")
        return out

    def object_errors(self, schema, value, where):
        properties = schema.get("properties", {})
        out = [f"{where}: lacks {name}" for name in schema.get("required", []) if name not in value]
        for name, item in value.items():
            if name in properties:
                out += self.errors(properties[name], item, f"{where}.{name}")
            elif schema.get("additionalProperties", True) is False:
                out.append(f"{where}: has {name!r}")
        return out

    # ---- Making values

    def make(self, schema, random):
        """A value that fits, mostly: of what anyOf and allOf ask beside the rest it knows nothing."""
        schema = self.resolve(schema)
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return random.choice(schema["enum"])
        if "oneOf" in schema:
            return self.make(random.choice(schema["oneOf"]), random)
        kind = schema.get("type")
        if kind == "integer":
            low, high = schema.get("minimum", -1000), schema.get("maximum", 1 << 64)
            return random.choice([low, high, random.randint(low, high), random.randint(low, min(high, low + 20))])
        if kind == "boolean":
            return random.random() < 0.5
        if kind == "array":
            low = schema.get("minItems", 0)
            count = random.randint(low, min(low + 3, schema.get("maxItems", low + 3)))
            return [self.make(schema["items"], random) for _ in range(count)]
        if kind == "object":
            required = schema.get("required", [])
            return {name: self.make(part, random) for name, part in schema["properties"].items()
                    if name in required or random.random() < 0.5}
        if kind == "string" and "pattern" in schema:
            return text_like(schema["pattern"], random)
        if kind == "string":
            letters = string.ascii_lowercase + string.digits + "_-"
            return "".join(random.choices(letters, k=random.randint(0, schema.get("maxLength", 12))))
        return None

    def spoilt(self, value, random):
        """The value with one place of it changed; it may still fit."""
        value = copy.deepcopy(value)
        places = list(places_of(value))
        if not places or random.random() < 0.05:
            return junk(random)
        holder, key = random.choice(places)
        change = random.randrange(4)
        if change == 0 and isinstance(holder, dict):
            del holder[key]
        elif change == 1 and isinstance(holder, dict):
            holder[random.choice(["App", "x", "schema", "", key + "s"])] = junk(random)
        elif change == 2 and isinstance(holder[key], str):
            text = holder[key]
            at = random.randint(0, len(text))
            holder[key] = random.choice([text[:at], text.upper(), text[:at] + "🦓" + text[at:],
                                         text + random.choice(["0", "g", "\n", "\0", "é"])])
        else:
            holder[key] = junk(random)
        return value


def places_of(value):
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in list(items):
        yield value, key
        yield from places_of(part)


def junk(random):
    return random.choice([None, True, 0, -1, 1 << 64, 1.5, 1e300, "", "0x", "0X00", "0xzz", "null", "\0", "\ud7ff\uffff",
                          "9" * 400, "a" * 5000, [], [[]], {}, {"": None}, [None] * 9])


def text_like(pattern, random):
    """A text that a pattern matches, of: literals, [classes], (groups|of such), and ? * {n} {m,n} after them."""
    assert pattern.startswith("^") and pattern.endswith("$"), pattern
    at = 1

    def alternatives():
        nonlocal at
        options = [sequence()]
        while pattern[at] == "|":
            at += 1
            options.append(sequence())
        return lambda: random.choice(options)()

    def sequence():
        parts = []
        while pattern[at] not in "|)$":
            parts.append(repeated(atom()))
        return lambda: "".join(part() for part in parts)

    def atom():
        nonlocal at
        at += 1
        if pattern[at - 1] == "(":
            inner = alternatives()
            at += 1
            return inner
        if pattern[at - 1] == "[":
            end = pattern.index("]", at)
            letters = characters(pattern[at:end])
            at = end + 1
            return lambda: random.choice(letters)
        literal = pattern[at - 1]
        assert literal.isalnum(), pattern
        return lambda: literal

    def repeated(part):
        nonlocal at
        low, high = 1, 1
        if pattern[at] in "?*":
            low, high = 0, 1 if pattern[at] == "?" else 20
            at += 1
        elif pattern[at] == "{":
            end = pattern.index("}", at)
            numbers = [int(number) for number in pattern[at + 1:end].split(",")]
            low, high = numbers[0], numbers[-1]
            at = end + 1
        return lambda: "".join(part() for _ in range(random.randint(low, high)))

    return alternatives()()


def characters(of_class):
    """All that a [class] stands for."""
    return re.sub(r"(.)-(.)", lambda m: "".join(chr(c) for c in range(ord(m[1]), ord(m[2]) + 1)), of_class)
