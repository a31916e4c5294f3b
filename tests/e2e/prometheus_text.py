"""A strict reader of the Prometheus text format 0.0.4: what is merely tolerated by some is an error here."""

import math
import re

NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
SAMPLE = re.compile(r"([a-zA-Z_][a-zA-Z0-9_]*)(?:\{(.*)\})? (\S+)")
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)')
NUMBER = re.compile(r"[+-]?Inf|NaN|[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
TYPES = ("counter", "gauge", "histogram")
UNITS_SPELLED_OUT = ("_ms", "_us", "_millis", "_kb", "_kilobytes", "_mb", "_minutes", "_percent")


class Malformed(Exception):
    pass


def require(holds, why):
    if not holds:
        raise Malformed(why)


class Family:
    def __init__(self, name, text):
        self.name, self.help, self.type = name, text, None
        self.samples = {}  # (suffix, labels as a sorted tuple of pairs) -> value

    def value(self, **labels):
        return self.samples[("", tuple(sorted(labels.items())))]

    def label_names(self):
        return {name for _, labels in self.samples for name, _ in labels}

    def total(self):
        return sum(value for (suffix, _), value in self.samples.items() if suffix == "")


def read_labels(text):
    labels, at = [], 0
    while at < len(text):
        match = LABEL.match(text, at)
        require(match, f"malformed labels: {text!r}")
        labels.append((match[1], re.sub(r'\\(["\\n])', lambda m: "\n" if m[1] == "n" else m[1], match[2])))
        at = match.end()
    require(not text.endswith(","), f"a comma at the end of labels: {text!r}")
    require(len({name for name, _ in labels}) == len(labels), f"a label twice: {text!r}")
    return tuple(sorted(labels))


def read_value(text):
    require(NUMBER.fullmatch(text), f"not a number: {text!r}")
    return float(text.replace("Inf", "inf"))


def parse(text):
    """Families by name. Each begins with its HELP and its TYPE, its samples follow at once, and nothing comes twice."""
    require(text.endswith("\n"), "the last line has no end")
    families, current = {}, None
    for line in text[:-1].split("\n"):
        if line.startswith("# HELP "):
            name, _, what = line[7:].partition(" ")
            require(NAME.fullmatch(name) and what.strip(), f"HELP without a name or text: {line!r}")
            require(name not in families, f"{name} comes twice")
            require(current is None or current.type, f"HELP without TYPE before {line!r}")
            current = families[name] = Family(name, what)
        elif line.startswith("# TYPE "):
            name, _, kind = line[7:].partition(" ")
            require(current and name == current.name and current.type is None, f"TYPE without HELP before: {line!r}")
            require(kind in TYPES, f"unknown type: {line!r}")
            current.type = kind
        else:
            add_sample(current, line)
    for family in families.values():
        check_family(family)
    return families


def add_sample(family, line):
    match = SAMPLE.fullmatch(line)
    require(match, f"no sample: {line!r}")
    require(family and family.type, f"a sample before TYPE: {line!r}")
    suffixes = ("_bucket", "_sum", "_count") if family.type == "histogram" else ("",)
    suffix = match[1][len(family.name):]
    require(match[1].startswith(family.name) and suffix in suffixes, f"a sample of another family: {line!r}")
    key = (suffix, read_labels(match[2] or ""))
    require(key not in family.samples, f"a sample twice: {line!r}")
    family.samples[key] = read_value(match[3])


def check_family(family):
    require(family.type, f"{family.name} has no type")
    require((family.type == "counter") == family.name.endswith("_total"), f"{family.name}: counters end in _total")
    require(not any(unit in family.name + "_" for unit in (u + "_" for u in UNITS_SPELLED_OUT)),
            f"{family.name}: not in base units")
    if family.type != "gauge":
        for key, value in family.samples.items():
            require(value >= 0 and not math.isnan(value), f"{family.name}{key} is {value}")
    if family.type == "histogram":
        check_histogram(family)


def check_histogram(family):
    series = {}
    for (suffix, labels), value in family.samples.items():
        rest = tuple(label for label in labels if label[0] != "le")
        parts = series.setdefault(rest, {"buckets": []})
        if suffix == "_bucket":
            bounds = [read_value(text) for name, text in labels if name == "le"]
            require(len(bounds) == 1, f"{family.name}: a bucket without its bound")
            parts["buckets"].append((bounds[0], value))
        else:
            parts[suffix] = value
    require(series, f"{family.name} has no samples")
    for parts in series.values():
        buckets = parts["buckets"]
        require("_sum" in parts and "_count" in parts, f"{family.name} lacks its sum or count")
        require(buckets and buckets == sorted(buckets), f"{family.name}: buckets out of order")
        counts = [count for _, count in buckets]
        require(counts == sorted(counts), f"{family.name}: buckets are not cumulative")
        require(buckets[-1] == (math.inf, parts["_count"]), f"{family.name}: the +Inf bucket is not the count")
