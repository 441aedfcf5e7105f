"""A warm 10,000-series LiteLLM page: our parser beside prometheus-client alone, outputs compared."""

import time
from collections.abc import Iterator

from prometheus_client.parser import text_string_to_metric_families

from adapters.prometheus_text import PageParser
from benchmarks.pages import Page
from benchmarks.results import Result, at_least, beside, middle

FAMILIES = (
    "litellm_deployment_total_requests",
    "litellm_deployment_success_responses",
    "litellm_deployment_failure_responses",
    "litellm_spend_metric",
    "litellm_deployment_state",
    "litellm_remaining_requests_metric",
    "litellm_llm_api_latency_metric",
    "litellm_request_total_latency_metric",
    "litellm_llm_api_time_to_first_token_metric",
)
ROUNDS = 7


def measure() -> Iterator[Result]:
    """Both read pages on which values have changed since the last look; the families that are read are the same."""
    page = Page(0, deployments=70, samples=10_000)
    parser = PageParser(FAMILIES)
    parser.parse(page.text())
    ours: list[float] = []
    client: list[float] = []
    equal = True
    for _ in range(ROUNDS):
        page.step()
        text = page.text().decode()
        begun = time.perf_counter()
        read = parser.parse(text)
        middle_ = time.perf_counter()
        families = [family for family in text_string_to_metric_families(text) if family.name in FAMILIES]
        client.append(time.perf_counter() - middle_)
        ours.append(middle_ - begun)
        theirs = {(s.name, frozenset(s.labels.items())): s.value for family in families for s in family.samples}
        mine = {(s.series.name, frozenset(s.series.labels.items())): s.value for s in read}
        equal = equal and mine == theirs and len(mine) > 1000
    yield beside("samples on the page", page.samples, "samples")
    yield beside("parse, prometheus-client", middle(client) * 1000, "ms")
    yield beside("parse, ours", middle(ours) * 1000, "ms")
    yield at_least("parse, times as quick as prometheus-client", middle(client) / middle(ours), "×", 20)
    yield at_least("parse, outputs equal", float(equal), "1 is yes", 1)
