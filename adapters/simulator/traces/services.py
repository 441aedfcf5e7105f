"""Services as their own traces show them: what each did in the last minute."""

from collections import Counter
from collections.abc import Iterator, Sequence

from msgspec import structs

from adapters.simulator.answers.flows import FRONT
from adapters.simulator.traces.sample import Seen
from adapters.simulator.traces.samples import WINDOW_S, Samples
from console.domain.readings import FailureClass, Latency, Service, Traffic
from console.domain.refs import Kind, Ref


def services(samples: Samples, source: str, at: float) -> Iterator[Service]:
    """One reading a service."""
    for name, seen in samples.seen.items():
        per_min = 60.0 * len(seen) / WINDOW_S
        if name == FRONT:
            # Only some of its requests are drawn; how many there are is known all the same.
            per_min = 60.0 * sum(samples.direct_per_s().values())
        reading = _service(name, tuple(seen), per_min, source, at)
        rollout = samples.index.rollout if reading.snapshots else ""
        yield structs.replace(reading, rollout=rollout, workflows=samples.workflows.of(name))


def _service(name: str, seen: Sequence[Seen], per_min: float, source: str, at: float) -> Service:
    weight = per_min / len(seen) if seen else 0.0
    failures = Counter(one.failure for one in seen if one.failure)
    lasted = sorted(one.duration_s for one in seen)
    snapshots = {one.snapshot: None for one in reversed(seen) if one.snapshot}
    return Service(
        ref=Ref(source, Kind.SERVICE, name),
        observed_at=at,
        traffic=Traffic(
            window_s=WINDOW_S,
            requests_per_min=round(per_min, 1),
            errors_per_min=round(weight * failures.total(), 1),
        ),
        latency=Latency(window_s=WINDOW_S, p50_s=_part(lasted, 0.5), p95_s=_part(lasted, 0.95)),
        failures=tuple(FailureClass(failure, round(weight * count, 1)) for failure, count in failures.most_common()),
        conversations=len({one.conversation for one in seen if one.conversation}),
        snapshots=tuple(snapshots),
    )


def _part(lasted: Sequence[float], part: float) -> float | None:
    """A percentile; None when there is nothing."""
    return round(lasted[min(len(lasted) - 1, int(part * len(lasted)))], 3) if lasted else None
