"""Documents of the form that `zell bench --json` prints, for the commands that read them."""

import random


def histogram_counts(values):
    """As cluster/load/histogram.h counts, with 7 significant bits."""
    counts = {}
    for value in values:
        shift = max(0, value.bit_length() - 8)
        lower = value >> shift << shift
        key = (lower, lower + (1 << shift) - 1)
        counts[key] = counts.get(key, 0) + 1
    return [[lower, upper, count] for (lower, upper), count in sorted(counts.items())]


def percentile(ordered, p):
    return ordered[min(len(ordered) - 1, int(len(ordered) * p / 100))]


def sample_result(seed=1, requests_per_s=5000, p50_us=8000, seconds=10, nodes=4, bundle=1, rate=None):
    """A run of made-up figures that fit each other."""
    chance = random.Random(seed)
    latencies = sorted(int(chance.lognormvariate(0, 0.5) * p50_us) + 1 for _ in range(4000))
    per_second = []
    for second in range(seconds):
        count = int(requests_per_s * chance.uniform(0.95, 1.05))
        per_second.append({"second": second, "requests": count, "operations": count * bundle, "refused": 0,
                           "p50_us": p50_us * chance.uniform(0.9, 1.1), "p99_us": p50_us * chance.uniform(3, 4),
                           "max_us": p50_us * chance.uniform(5, 9)})
    total = sum(entry["requests"] for entry in per_second)
    return {
        "schema": 1, "kind": "bench", "version": "0.1.0", "started_unix_ms": 1_700_000_000_000 + seed,
        "machine": {"cpu": "a processor", "cores": 2, "kernel": "Linux 6.1"},
        "config": {"nodes": nodes, "rate": rate, "duration_s": seconds, "warmup_s": 2, "clients": 16, "size": 128,
                   "bundle": bundle, "sign": "ahead", "wait": "final"},
        "requests": {"offered": total, "finalised": total, "refused": 0, "refused_by": {}, "failed": 0, "unknown": 0},
        "throughput": {"requests_per_s": total / seconds, "operations_per_s": total * bundle / seconds,
                       "payload_bytes_per_s": total * bundle * 128 / seconds},
        "latency_us": {"from": "intended", "count": total, "min": latencies[0], "mean": sum(latencies) / len(latencies),
                       "p50": percentile(latencies, 50), "p90": percentile(latencies, 90),
                       "p99": percentile(latencies, 99), "p99_9": percentile(latencies, 99.9), "max": latencies[-1],
                       "histogram": {"significant_bits": 7, "counts": histogram_counts(latencies)}},
        "seconds": per_second,
        "nodes": [{"name": f"n{k + 1}", "cpu_s": 3.5 + k / 10, "cpu_us_per_operation": (3.5 + k / 10) * 1e6 / total / bundle,
                   "cpu_us_per_request": (3.5 + k / 10) * 1e6 / total, "rss_bytes_max": 90 << 20,
                   "rss_bytes_end": 80 << 20, "fds_end": 40, "disk_bytes_written": total * bundle * 300,
                   "disk_over_payload": 2.3} for k in range(nodes)],
        "generator": {"cpu_s": 4.0, "cores_used": 0.4, "behind_us_max": 900, "signing_s": 3.0},
        "log": {"view_before": 0, "view_after": 0, "first_index": 1, "last_index": total},
        "limits": None, "goals": None,
    }
