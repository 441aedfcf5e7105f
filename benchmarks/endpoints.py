"""1,000 endpoints every 2 s: no look is lost, and a key is answered as quickly as with 100."""

from collections.abc import Iterator
from itertools import pairwise
from typing import cast

from benchmarks.live import one_run
from benchmarks.results import Result, at_most, beside, percentile
from benchmarks.stage import Stage, cpu_s, memory_mb, stage
from benchmarks.terminal import pump

INTERVAL_S = 2.0


def measure() -> Iterator[Result]:
    """62 samples an endpoint: as many in all as with 100."""
    with stage(1000, deployments=1, samples=62, interval_s=INTERVAL_S) as running:
        running.tell("live")
        assert running.engine is not None
        pump([], 10.0)
        before = cpu_s(running.engine.pid)
        pump([], 20.0)
        yield beside(
            "1,000 endpoints, engine, processor", 100 * (cpu_s(running.engine.pid) - before) / 20, "% of a core"
        )
        yield beside("1,000 endpoints, engine, memory", memory_mb(running.engine.pid), "MB")
        keys, bare = one_run(running)
        yield at_most("1,000 endpoints, polls lost", lost(running), "polls", 0)
        yield at_most("1,000 endpoints, key to paint, p50", percentile(keys, 0.5), "ms", 5)
        yield at_most("1,000 endpoints, key to paint, p99", percentile(keys, 0.99), "ms", 40)
        yield beside("1,000 endpoints, key to paint, p50, bare idle app", percentile(bare, 0.5), "ms")


def lost(running: Stage) -> int:
    """Looks that are missing between two looks: a gap of two intervals lacks one. The first 5 s do not count."""
    looks = cast("list[list[float]]", running.tell("polls"))
    start = min(times[0] for times in looks if times) + 5.0
    missing = 0
    for times in looks:
        kept = [at for at in times if at >= start]
        missing += sum(max(0, round((b - a) / INTERVAL_S) - 1) for a, b in pairwise(kept))
        missing += not kept
    return missing
