"""Record a real LiteLLM's answers for the contract suite.

    python -m tests.contract.record_litellm URL KEY SCENE.json [TRAFFIC_ROUTE]

Only GETs that the adapter makes are recorded; the two metrics pages only with a route, to which requests are sent
between them.
Hashes of keys are replaced, and nothing else is changed. Use a server that was made for this, with made-up keys.
"""

import json
import re
import sys
import time
from typing import Any

import httpx

TODAY = time.strftime("%Y-%m-%d", time.gmtime())
PATHS = (
    "/health/liveliness",
    "/health/readiness",
    "/health/readiness/details",
    "/v2/user/info",
    "/key/info",
    "/router/settings",
    "/model/info",
    f"/user/daily/activity/aggregated?start_date={TODAY}&end_date={TODAY}&timezone=0",
    "/key/list?return_full_object=true&size=100&page=1",
    "/provider/budgets",
)


def record(url: str, key: str, route: str) -> dict[str, Any]:
    """All answers by path; with a route `/metrics/` too, twice, as `/metrics/#1` and `/metrics/#2`."""
    with httpx.Client(base_url=url, headers={"authorization": f"Bearer {key}"}, timeout=30) as client:
        answers: dict[str, Any] = {}
        if route:
            answers["/metrics/#1"] = _answer(client.get("/metrics/"))
            _traffic(client, route)
            answers["/metrics/#2"] = _answer(client.get("/metrics/"))
        for path in PATHS:
            answers[path.partition("?")[0]] = _answer(client.get(path))
        models = json.loads(answers["/model/info"]["body"]).get("data", [])
        for name in dict.fromkeys(model["model_info"]["id"] for model in models):
            found = client.get("/model/info", params={"litellm_model_id": name})
            answers[f"/model/info?litellm_model_id={name}"] = _answer(found)
    return {"recorded_at": time.time(), "answers": answers}


def _traffic(client: httpx.Client, route: str) -> None:
    for number in range(20):
        body = {"model": route, "stream": number % 4 == 0, "messages": [{"role": "user", "content": "hi"}]}
        client.post("/v1/chat/completions", json=body)
    time.sleep(3)


def _answer(found: httpx.Response) -> dict[str, Any]:
    hashes: dict[str, str] = {}
    text = re.sub(
        r"\b[0-9a-f]{64}\b", lambda match: hashes.setdefault(match[0], f"{sum(match[0].encode()):064x}"), found.text
    )
    return {"status": found.status_code, "content_type": found.headers.get("content-type", ""), "body": text}


if __name__ == "__main__":
    address, secret, target, *rest = sys.argv[1:]
    with open(target, "w") as file:
        json.dump(record(address, secret, rest[0] if rest else ""), file, indent=1, ensure_ascii=False)
        file.write("\n")
