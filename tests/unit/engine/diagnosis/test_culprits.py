"""Who is to blame, one family of incidents at a time: the right culprit, what speaks for it, and what is a trap."""

import msgspec
import pytest

from console.domain.alerts import AlertState, Aspect, Severity
from console.domain.answers import Group
from console.domain.freshness import Freshness
from console.domain.incidents import Dimension
from console.domain.readings import Deployment, Headroom, Latency, Source
from console.domain.refs import Kind, Ref
from console.domain.verbs import Verb
from console.engine.knowledge import Knowledge
from tests.unit.engine.diagnosis.platform import GW, House, about, advised


@pytest.fixture
def house() -> House:
    return House()


def test_a_provider_is_to_blame_when_its_deployments_are_ill_and_their_siblings_are_not(house: House) -> None:
    house.fire("latency", "deployment/chat-azure")
    house.wait(900)
    house.fire("latency", "deployment/summarise-azure")
    one = house.one()
    assert one.blame is not None
    assert (one.blame.dimension, one.blame.name) == (Dimension.PROVIDER, "azure")
    assert one.blame.ref == about("provider/azure")
    assert "2 of its 2 deployments" in one.blame.because
    assert "siblings chat-claude, chat-openai and summarise-claude are normal" in one.blame.because
    assert "errors are as few as ever" in one.blame.against
    assert "waiting for errors" in advised(one, traps=True)
    assert any(piece.verb is Verb.SWITCH for piece in one.advice)


def test_one_ill_deployment_of_several_is_not_its_providers_fault(house: House) -> None:
    house.fire("errors", "deployment/chat-openai")
    assert house.culprit() == "deployment/chat-openai"
    others = [(one.dimension, one.name) for one in house.one().others]
    assert (Dimension.PROVIDER, "openai") in others
    assert "embed-openai and lite-mini of it are normal" in house.one().others[0].against


def test_a_provider_with_a_single_deployment_is_named_with_it(house: House) -> None:
    house.fire("latency", "deployment/embed-mistral")
    one = house.one()
    assert house.culprit() == "deployment/embed-mistral"
    assert one.blame is not None
    assert "it is all that goes to mistral" in one.blame.because


def test_a_sibling_with_too_little_traffic_for_an_alert_still_counts_when_its_readings_are_off(house: House) -> None:
    for _ in range(25):
        house.wait(60)
    slow = Latency(window_s=60, p50_s=2.0, ttft_p50_s=1.1)
    for name in ("chat-azure", "summarise-azure"):
        usual = house.store.board.readings[about(f"deployment/{name}")]
        assert isinstance(usual, Deployment)
        house.put(msgspec.structs.replace(usual, latency=slow))
    house.fire("latency", "deployment/chat-azure")
    assert house.culprit() == "provider/azure"


def test_an_outage_is_the_providers_and_not_of_those_that_got_its_load(house: House) -> None:
    first = house.fire("errors", "deployment/chat-azure", severity=Severity.PAGE)
    house.fire("errors", "deployment/summarise-azure", severity=Severity.PAGE)
    house.wait(120)
    house.fire("retries", "route/chat")
    house.fire("throttling", "deployment/chat-openai")
    house.wait(60)
    house.fire("backlog", "queue/chat-jobs")
    house.fire("burn-rate/chat", "route/chat", severity=Severity.PAGE)
    one = house.one()
    assert house.culprit() == "provider/azure"
    assert one.id.startswith(first.id)
    assert one.severity is Severity.PAGE
    assert len(one.alerts) == 6
    assert any(piece.verb is Verb.ISOLATE for piece in one.advice)
    assert "unpausing or replaying at once" in advised(one, traps=True)


def test_a_provider_that_the_others_cannot_carry_is_not_to_be_left_at_once(house: House) -> None:
    for name in ("chat-openai", "chat-claude"):
        full = house.store.board.readings[about(f"deployment/{name}")]
        assert isinstance(full, Deployment)
        house.put(msgspec.structs.replace(full, headroom=Headroom(requests_left=50.0, requests_limit=1000.0)))
    for name in ("chat-azure", "summarise-azure"):
        house.fire("errors", f"deployment/{name}", severity=Severity.PAGE)
    one = house.one()
    assert house.culprit() == "provider/azure"
    assert "sending all of it elsewhere at once" in advised(one, traps=True)
    assert "switch chat to chat-lite, in steps (not all at once: chat-openai, chat-claude have room" in advised(one)


def test_a_storm_of_retries_stays_the_fault_of_what_triggered_it(house: House) -> None:
    trigger = [house.fire("errors", f"deployment/{name}") for name in ("chat-azure", "summarise-azure")]
    house.wait(120)
    house.fire("retries", "route/chat")
    house.fire("backlog", "queue/chat-jobs")
    house.wait(120)
    house.end(*trigger)
    house.wait(1200)
    assert house.culprit() == "provider/azure"


def test_a_model_is_to_blame_when_it_is_ill_at_several_providers(house: House) -> None:
    for name in ("chat-openai", "chat-azure", "summarise-azure"):
        house.answers("tokens", f"deployment/{name}", deployment=name, model="gpt-5")
    assert house.culprit() == "model/gpt-5"
    assert "blaming traffic" in advised(house.one(), traps=True)


def test_a_tenant_is_to_blame_when_only_its_requests_fail(house: House) -> None:
    house.fire("tenant-errors", "key/mobile", severity=Severity.PAGE)
    house.wait(60)
    for name in ("chat-openai", "chat-azure"):
        house.fire("errors", f"deployment/{name}")
    assert house.culprit() == "tenant/mobile"
    assert "trusting the mean" in advised(house.one(), traps=True)


def test_a_deployment_whose_siblings_are_well_is_to_blame_although_a_tenant_feels_it(house: House) -> None:
    house.fire("errors", "deployment/chat-azure", severity=Severity.PAGE)
    house.fire("errors", "deployment/summarise-azure", severity=Severity.PAGE)
    house.wait(60)
    house.fire("cost-burn", "key/mobile", aspect=Aspect.COST)
    assert house.culprit() == "provider/azure"


@pytest.mark.parametrize(
    ("rule", "trap"),
    [
        ("unparsed", "retrying"),
        ("output-shape", "retrying"),
        ("finish/content_filter", "a refusal is never retried"),
        ("finish/empty_stop", ""),
        ("script", ""),
    ],
)
def test_wrong_answers_of_one_deployment_are_its_own(house: House, rule: str, trap: str) -> None:
    house.answers(rule, "deployment/chat-azure", deployment="chat-azure")
    one = house.one()
    assert house.culprit() == "deployment/chat-azure"
    assert one.aspects == (Aspect.ANSWERS,)
    assert trap in advised(one, traps=True)


def test_a_change_upstream_shortly_before_supports_a_deployment_and_begins_nothing_by_itself(house: House) -> None:
    house.fire("upstream-change", "deployment/chat-azure", severity=Severity.NOTICE, aspect=Aspect.ANSWERS)
    house.wait(600)
    assert house.incidents() == []
    house.answers("unparsed", "deployment/chat-azure", deployment="chat-azure")
    one = house.one()
    assert one.blame is not None
    assert "10 min before: upstream-change of deployment/chat-azure is off" in one.blame.because
    assert any("upstream-change" in note for note in one.notes)


def test_a_prompt_that_all_ill_answers_share_is_our_own_release(house: House) -> None:
    house.answers("output-shape", "service/api", prompt="greeting@8")
    assert house.culprit() == "release/greeting@8"


def test_searches_that_find_less_are_the_indexes_fault_and_no_providers(house: House) -> None:
    house.knowledge = Knowledge({"api": "knowledge-base", "agent-worker": "tickets"}, {})
    house.answers("retrieval", "service/api")
    house.answers("retrieval", "service/agent-worker", service="api")
    assert house.culprit() == "index/knowledge-base"
    assert "switching the provider" in advised(house.one(), traps=True)


def test_memory_that_is_lost_is_laid_to_who_wrote_it_before_the_memory_itself(house: House) -> None:
    house.knowledge = Knowledge({}, {"api": "summaries"})
    house.answers("divergence/lost-write", "conversation/c-1", service="api")
    assert house.culprit() == "service/api"
    assert [(one.dimension, one.name) for one in house.one().others] == [(Dimension.MEMORY, "summaries")]
    other = House()
    other.knowledge = house.knowledge
    other.answers("divergence/foreign-write", "conversation/c-1")
    assert other.culprit() == "memory/summaries"


def test_services_that_disagree_are_the_fault_of_the_one_that_lags(house: House) -> None:
    house.answers("divergence/snapshots", "conversation/c-1", service="api")
    house.wait(30)
    house.answers("divergence/snapshots", "conversation/c-2", service="api")
    assert house.culprit() == "service/api"
    assert len(house.one().alerts) == 2


def test_an_agent_that_loops_is_to_blame_for_money_and_load(house: House) -> None:
    house.answers("agent-loop", "service/agent-worker", service="agent-worker", tenant="agents")
    house.wait(120)
    house.fire("cost-burn", "key/agents", aspect=Aspect.COST)
    house.fire("throttling", "deployment/agents-claude")
    assert house.culprit() in {"tenant/agents", "service/agent-worker"}
    assert "cap its key" in advised(house.one())


def test_a_workflow_that_stands_and_a_window_that_is_too_small_are_the_services(house: House) -> None:
    house.answers("stuck-workflow", "service/agent-worker")
    assert house.culprit() == "service/agent-worker"
    assert "restarting all" in advised(house.one(), traps=True)


def test_a_flood_of_probes_is_the_deployments_and_more_of_a_trap_to_reset(house: House) -> None:
    house.fire("half-open-flood", "deployment/chat-openai")
    assert house.culprit() == "deployment/chat-openai"
    assert "cap the probes" in advised(house.one())


def test_booked_money_that_was_not_spent_is_the_gateways(house: House) -> None:
    for ref in ("spend/total/all", "spend/provider/openai", "spend/provider/azure", "spend/provider/anthropic"):
        house.fire("phantom-spend", ref, aspect=Aspect.COST)
    assert house.culprit() == f"gateway/{GW}"
    assert "stopping traffic" in advised(house.one(), traps=True)


def test_a_source_that_does_not_answer_is_its_own_incident(house: House) -> None:
    house.fire("latency", "deployment/chat-azure")
    gone = house.store.board.source("traces")
    assert isinstance(gone, Source)
    house.store.observe(msgspec.structs.replace(gone, freshness=Freshness.STALE))
    house.fire("stale-source", "source/traces")
    found = house.incidents()
    assert len(found) == 2
    assert found[1].blame is not None
    assert (found[1].blame.dimension, found[1].blame.name) == (Dimension.SOURCE, "traces")


def test_workers_that_do_not_keep_up_are_the_queues_own_trouble(house: House) -> None:
    house.fire("backlog", "queue/chat-jobs")
    assert house.culprit() == "queue/chat-jobs"


def test_what_the_provider_has_in_common_is_taken_from_the_answers_themselves(house: House) -> None:
    house.answers("finish/content_filter", "provider/azure", provider="azure")
    assert house.culprit() == "provider/azure"


def test_a_service_that_only_shows_it_is_not_to_blame(house: House) -> None:
    house.fire("tokens", "service/api", aspect=Aspect.ANSWERS, group=Group(model="gpt-5"))
    assert house.culprit() == "model/gpt-5"


def test_pending_alerts_of_siblings_count_before_they_fire(house: House) -> None:
    house.fire("errors", "deployment/chat-azure")
    house.fire("errors", "deployment/summarise-azure", state=AlertState.PENDING)
    assert house.culprit() == "provider/azure"


def test_every_word_on_an_incident_is_clean(house: House) -> None:
    ref = Ref(GW, Kind.DEPLOYMENT, "evil\x1b[2J")
    reading = house.store.board.readings[about("deployment/chat-azure")]
    house.put(msgspec.structs.replace(reading, ref=ref))
    alert = house.fire("latency", "deployment/chat-azure")
    house.store.publish(alerts=(msgspec.structs.replace(alert, ref=ref),))
    for one in house.incidents():
        words = [one.title, *one.notes, *(piece.words for piece in one.advice)]
        words += [text for blame in (one.blame, *one.others) if blame for text in (blame.name, blame.because)]
        assert not any("\x1b" in text for text in words)
