"""LiteLLM's metrics page as what happened since the last one, by deployment, route and key.

Traps of LiteLLM 1.106, measured: `litellm_deployment_state` has a second series for each deployment that never
resets (so it is not read at all); series with `model_id=""` or `"None"` stand for no deployment; `cooled_down_total`
counts several per cooldown (so it is only read as "one began"); refused management calls are booked as failed requests;
`litellm_deployment_latency_per_output_token` is, for streams, the time to the first token divided by all tokens (so it
is not read either: seconds and tokens are).
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from adapters.counters import Deltas
from adapters.prometheus_text import PageParser, Sample, Series


class Key(NamedTuple):
    """What is counted, and for whom."""

    what: str
    name: str
    """A deployment's id, a route, or a key's hash."""
    sort: str = ""
    """The way of failing."""
    edge: float = 0.0
    """The upper edge of a histogram's bucket, in seconds."""


_MEANINGS: dict[str, tuple[tuple[str, str], ...]] = {
    "litellm_deployment_success_responses_total": (("ok", "model_id"), ("attempts", "requested_model")),
    "litellm_deployment_failure_responses_total": (("fail", "model_id"), ("attempts", "requested_model")),
    "litellm_deployment_successful_fallbacks_total": (("fallbacks", "requested_model"),),
    "litellm_deployment_failed_fallbacks_total": (("fallbacks", "requested_model"),),
    "litellm_deployment_cooled_down_total": (("cooled", "model_id"),),
    "litellm_proxy_total_requests_metric_total": (("asked", "requested_model"),),
    "litellm_proxy_failed_requests_metric_total": (("refused", "requested_model"),),
    "litellm_spend_metric_total": (
        ("usd", "model_id"),
        ("usd of route", "requested_model"),
        ("usd of key", "hashed_api_key"),
    ),
    "litellm_input_tokens_metric_total": (("tokens in", "model_id"), ("route tokens in", "requested_model")),
    "litellm_output_tokens_metric_total": (("tokens out", "model_id"), ("route tokens out", "requested_model")),
    "litellm_llm_api_latency_metric": (("took", "model_id"),),
    "litellm_llm_api_time_to_first_token_metric": (("first token", "model_id"),),
    "litellm_request_total_latency_metric": (("answered", "requested_model"),),
    "litellm_llm_api_latency_metric_sum": (("s in all", "model_id"),),
    "litellm_llm_api_time_to_first_token_metric_sum": (("s to first token", "model_id"),),
}
"""Family → what its samples count, and by which label."""
HISTOGRAMS = (
    "litellm_llm_api_latency_metric",
    "litellm_llm_api_time_to_first_token_metric",
    "litellm_request_total_latency_metric",
)
GAUGES = {
    "litellm_remaining_requests_metric": "requests left",
    "litellm_remaining_tokens_metric": "tokens left",
    "litellm_provider_remaining_budget_metric": "budget left",
    "litellm_in_flight_requests": "in flight",
    "litellm_redis_circuit_breaker_state": "redis",
}
_START = "process_start_time_seconds"
_LABELS = frozenset(label for meanings in _MEANINGS.values() for _, label in meanings) | {
    "api_provider",
    "exception_class",
    "exception_status",
    "le",
    "route",
    "state",
}
"""Every label that is read here; a page has twice as many."""
_PROCESSES_KEPT = 16
_NOBODY = ("", "None")
_MANAGEMENT = ("/fallback", "/model/", "/v1/model/", "/v2/", "/key", "/user", "/team", "/config", "/router", "/health")


@dataclass(slots=True)
class PageNews:
    """What one page of one replica brought."""

    grown: dict[Key, float] = field(default_factory=dict)
    """What was added since the last page of the same process."""
    gauges: dict[tuple[str, str], float] = field(default_factory=dict)
    """(what, of which object) → value; the smallest where several series speak of the same object."""
    counts: bool = False
    """Whether `grown` may be believed: False on a process's first page, which is only a mark."""


class ReplicaMetrics:
    """The memory for one replica's pages."""

    def __init__(self) -> None:
        self._parser = PageParser((*_MEANINGS, *GAUGES, _START), _LABELS)
        self._keys: dict[Series, tuple[Key, ...]] = {}
        self._processes: dict[float, Deltas[Series]] = {}

    def read(self, page: bytes) -> PageNews:
        """Take in one page.

        A proxy with several workers answers each time as another process: each is counted from its own last page.
        A process that was never seen (a restart) is a mark first, so that its past is not taken for the present.

        Raises:
            MalformedPage: see `PageParser.parse`.
        """
        samples = self._parser.parse(page)
        started = next((sample.value for sample in samples if sample.series.name == _START), 0.0)
        known = started in self._processes
        deltas = self._processes.pop(started, None) or Deltas[Series]()
        self._processes[started] = deltas
        if len(self._processes) > _PROCESSES_KEPT:
            self._processes.pop(next(iter(self._processes)))
        news = PageNews(counts=known)
        for series, delta in deltas.feed([sample[:2] for sample in samples]).items():
            for key in self._meaning(series):
                news.grown[key] = news.grown.get(key, 0.0) + delta
        self._gauges(samples, news)
        if len(self._keys) > 2 * len(samples) + 64:
            self._keys.clear()
        return news

    def forget(self) -> None:
        """After a long silence: the next page is a mark, what grew meanwhile did not grow in the window."""
        self._processes.clear()

    def _gauges(self, samples: Iterable[Sample], news: PageNews) -> None:
        for sample in samples:
            what = GAUGES.get(sample.series.name)
            if what is None or sample.value != sample.value:
                continue
            labels = sample.series.labels
            if what == "redis" and sample.value != 1:
                continue
            name = labels.get("model_id") or labels.get("api_provider") or labels.get("state") or ""
            if name not in _NOBODY or what == "in flight":
                place = (what, name)
                news.gauges[place] = min(sample.value, news.gauges.get(place, sample.value))

    def _meaning(self, series: Series) -> tuple[Key, ...]:
        found = self._keys.get(series)
        if found is None:
            found = self._keys[series] = tuple(_meaning(series.name, series.labels))
        return found


def _meaning(name: str, labels: dict[str, str]) -> Iterable[Key]:
    base = name.removesuffix("_bucket")
    if (base in HISTOGRAMS and base == name) or (base.startswith("litellm_proxy_") and _is_management(labels)):
        return
    fails = ("failure", "failed_requests", "cooled_down")
    sort = failure_name(labels) if any(word in name for word in fails) else ""
    edge = _edge(labels.get("le", "0"))
    if edge is None:
        return
    for what, label in _MEANINGS.get(base, ()):
        of = labels.get(label, "")
        if of not in _NOBODY:
            yield Key(what, of, sort, edge)


def _edge(text: str) -> float | None:
    """A bucket's upper edge in seconds; None when it is none, so that the bucket is passed over."""
    try:
        edge = float(text)
    except ValueError:
        return None
    return edge if edge >= 0 else None


def _is_management(labels: dict[str, str]) -> bool:
    return labels.get("route", "").startswith(_MANAGEMENT)


def failure_name(labels: dict[str, str]) -> str:
    """`500`, or where there is no status the exception's own name: `RouterRateLimitError`."""
    status = labels.get("exception_status", "")
    if status.isdigit():
        return "timeout" if status == "408" else status
    return labels.get("exception_class", "").rpartition(".")[2] or "unknown cause"
