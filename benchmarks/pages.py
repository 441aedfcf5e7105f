"""Pages of a LiteLLM proxy: `/metrics` with its own families and label sets, `/model/info`, and the rest of its API."""

import json
import random
from typing import Any

BUCKETS = (
    "0.005",
    "0.01",
    "0.025",
    "0.05",
    "0.1",
    "0.25",
    "0.5",
    "1.0",
    "2.0",
    "5.0",
    "10.0",
    "30.0",
    "60.0",
    "120.0",
    "300.0",
    "420.0",
    "600.0",
    "+Inf",
)
PROVIDERS = ("openai", "azure", "anthropic", "mistral")
_HISTOGRAMS = (
    "litellm_request_total_latency_metric",
    "litellm_overhead_latency_metric",
    "litellm_request_queue_time_seconds",
    "litellm_overhead_with_guardrails_latency_metric",
    "litellm_llm_api_time_to_first_token_metric",
)


class Page:
    """One proxy's `/metrics`: most lines stand, the traffic's counters rise at each step."""

    def __init__(self, endpoint: int, deployments: int, samples: int) -> None:
        """Make a page of at least `samples` samples for so many deployments."""
        self.names = [f"dep-{endpoint:03d}-{number}" for number in range(deployments)]
        self._endpoint = endpoint
        self._rng = random.Random(endpoint)
        self._done = [number * 3 for number in range(deployments)]
        self._failed = [0] * deployments
        self._took = [[0] * len(BUCKETS) for _ in range(deployments)]
        self._filler = self._fill(samples)
        self.samples = self._count()

    def _labels(self, number: int) -> str:
        provider = PROVIDERS[(self._endpoint + number) % len(PROVIDERS)]
        return (
            f'api_key_alias="None",api_provider="{provider}",end_user="None",hashed_api_key="litellm_proxy_master_key",'
            f'model="gpt-4o",model_group="chat-{self._endpoint:03d}",model_id="{self.names[number]}",org_alias="None",'
            f'org_id="None",requested_model="chat-{self._endpoint:03d}",service_tier="None",team="None",'
            'team_alias="None",user="default_user_id"'
        )

    def _deployment(self, number: int) -> str:
        provider = PROVIDERS[(self._endpoint + number) % len(PROVIDERS)]
        return (
            f'api_base="http://upstream/{provider}",api_key_alias="None",api_provider="{provider}",'
            f'client_ip="10.0.0.1",hashed_api_key="litellm_proxy_master_key",litellm_model_name="gpt-4o",'
            f'model_group="chat-{self._endpoint:03d}",model_id="{self.names[number]}",'
            f'requested_model="chat-{self._endpoint:03d}",team="None",team_alias="None",user_agent="bench"'
        )

    def _fill(self, samples: int) -> str:
        """Histograms of traffic that stood still, up to the size of a busy proxy's page."""
        lines: list[str] = []
        room = samples - sum(not line.startswith("#") for line in self._moving())
        for name in _HISTOGRAMS:
            lines.append(f"# HELP {name} Latency\n# TYPE {name} histogram")
            for number in range(len(self.names)):
                if room <= 0:
                    break
                labels, total = self._labels(number), 40.0 + number
                part = [f'{name}_bucket{{{labels},le="{le}"}} {min(total, 3.0 * at)}' for at, le in enumerate(BUCKETS)]
                part += [f"{name}_count{{{labels}}} {total}", f"{name}_sum{{{labels}}} {total * 0.4}"]
                lines += part[:room]
                room -= len(part)
        lines.append("# TYPE litellm_proxy_total_requests_metric_total counter")
        lines += [
            f'litellm_proxy_total_requests_metric_total{{{self._labels(0)},route="/v1/{number}",status_code="200"}} 9.0'
            for number in range(max(0, room))
        ]
        return "\n".join(lines)

    def _moving(self) -> list[str]:
        """The families of the traffic, whose counters have risen since the last step."""
        families: dict[str, list[str]] = {}
        for number in range(len(self.names)):
            labels, own = self._deployment(number), self._labels(number)
            done, failed = self._done[number], self._failed[number]
            error = f'{labels},exception_class="E",exception_status="500"'
            for kind, name, inside, value in (
                ("counter", "litellm_deployment_total_requests_total", labels, done + failed),
                ("counter", "litellm_deployment_success_responses_total", labels, done),
                ("counter", "litellm_deployment_failure_responses_total", error, failed),
                ("counter", "litellm_spend_metric_total", f'{own},user_agent="bench",user_email="None"', done / 1000),
                ("gauge", "litellm_deployment_state", labels, 0),
                ("gauge", "litellm_remaining_requests_metric", labels, 5000 - done % 997),
            ):
                lines = families.setdefault(name, [f"# HELP {name} Of the traffic", f"# TYPE {name} {kind}"])
                lines.append(f"{name}{{{inside}}} {float(value)}")
        return [*(line for lines in families.values() for line in lines), *self._latency()]

    def _latency(self) -> list[str]:
        name = "litellm_llm_api_latency_metric"
        lines = [f"# HELP {name} Of the traffic", f"# TYPE {name} histogram"]
        for number, took in enumerate(self._took):
            labels = self._labels(number)
            lines += [f'{name}_bucket{{{labels},le="{le}"}} {count}.0' for le, count in zip(BUCKETS, took, strict=True)]
            lines += [f"{name}_count{{{labels}}} {took[-1]}.0", f"{name}_sum{{{labels}}} {took[-1] * 0.4}"]
        return lines

    def step(self) -> None:
        """Let some traffic pass: more or less of it, quicker or slower, as real traffic does."""
        for number, took in enumerate(self._took):
            asked, slowest = self._rng.randint(5, 40), self._rng.randint(6, 10)
            self._done[number] += asked
            self._failed[number] += self._rng.randint(0, 2) * ((self._endpoint + number) % 5 == 0)
            for edge in range(len(BUCKETS)):
                took[edge] += min(asked, max(0, round(asked * (edge - 3) / (slowest - 3))))

    def text(self) -> bytes:
        """The page as it is now."""
        return (self._filler + "\n" + "\n".join(self._moving()) + "\n").encode()

    def _count(self) -> int:
        return sum(not line.startswith(b"#") for line in self.text().splitlines() if line)

    def model_info(self) -> bytes:
        """`GET /model/info`."""
        return json.dumps({"data": [self._model(number) for number in range(len(self.names))]}).encode()

    def _model(self, number: int) -> dict[str, Any]:
        provider = PROVIDERS[(self._endpoint + number) % len(PROVIDERS)]
        return {
            "model_name": f"chat-{self._endpoint:03d}",
            "litellm_params": {"api_base": f"http://upstream/{provider}", "model": f"{provider}/gpt-4o", "weight": 1},
            "model_info": {
                "id": self.names[number],
                "db_model": True,
                "blocked": False,
                "key": "gpt-4o",
                "litellm_provider": provider,
                "input_cost_per_token": 2.5e-06,
                "output_cost_per_token": 1e-05,
            },
        }
