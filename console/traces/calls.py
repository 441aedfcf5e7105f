"""Pieces of model calls and retrievals: what was asked, and what came back."""

from typing import Final

import msgspec

from console.domain.reconstruction import Piece
from console.domain.spans import Content, Message, SpanKind
from console.traces.case import NO_CONTENT, Case, Named, has_content, piece, prompt_of
from console.traces.works import Work

NO_CONTENT_AT_ALL: Final = Content()


def model_inputs(case: Case) -> list[Piece]:
    """What each model call was sent."""
    return [_model_input(case, work) for work in case.works[SpanKind.MODEL]]


def model_responses(case: Case) -> list[Piece]:
    """What each model call answered."""
    return [_model_response(case, work) for work in case.works[SpanKind.MODEL]]


def retrievals(case: Case) -> list[Piece]:
    """What was searched for and found."""
    return [_retrieval(case, work) for work in case.works[SpanKind.RETRIEVAL]]


def _model_input(case: Case, work: Work) -> Piece:
    content, facts = work.content or NO_CONTENT_AT_ALL, work.facts
    messages = content.messages_in
    if messages and content.system and all(message.text != content.system for message in messages):
        messages = (Message(role="system", text=content.system), *messages)
    text = "" if content.messages_in else content.input
    return piece(
        case,
        work.place,
        text=text,
        messages=messages,
        facts=(
            ("model", facts.request_model or facts.response_model),
            ("provider", facts.provider),
            ("prompt", prompt_of(work.span)),
            ("parameters", content.parameters),
            ("tools", ", ".join(tool_names(content.tools))),
        ),
        tokens_in=facts.tokens_in,
        missing="" if messages or text else NO_CONTENT,
    )


def _model_response(case: Case, work: Work) -> Piece:
    content, facts, span = work.content or NO_CONTENT_AT_ALL, work.facts, work.span
    text = "" if content.messages_out else content.output
    tries = max(work.attempts, facts.attempts or 1)
    return piece(
        case,
        work.place,
        text=text,
        messages=content.messages_out,
        facts=(
            ("model", facts.response_model),
            ("finish reason", facts.finish_reason),
            ("first token", _number(facts.ttft_s, " s")),
            ("cost", _number(facts.usd, " USD")),
            ("cached tokens", _number(facts.tokens_cached)),
            ("attempts", str(tries) if tries > 1 else ""),
            ("error", span.error if span.failed else ""),
        ),
        took_s=case.tree.took(work.place),
        tokens_out=facts.tokens_out,
        missing="" if text or content.messages_out else _no_answer(work),
    )


def _no_answer(work: Work) -> str:
    if work.span.failed:
        return "the call failed"
    return "the call has not ended" if work.span.duration_s is None else NO_CONTENT


def _retrieval(case: Case, work: Work) -> Piece:
    content, facts = work.content or NO_CONTENT_AT_ALL, work.facts
    asked = content.query or content.input
    found = "" if content.documents else content.result or content.output
    versions = dict.fromkeys(one.snapshot for one in content.documents if one.snapshot)
    named: list[Named] = [
        ("source", facts.retrieval_source),
        ("snapshot", facts.snapshot or ", ".join(versions)),
        ("query", asked if found else ""),
        ("error", work.span.error if work.span.failed else ""),
    ]  # fmt: skip
    told = piece(
        case, work.place, text=found or asked, documents=content.documents, facts=named,
        took_s=case.tree.took(work.place),
        missing="" if content.documents or found else "what was found is not recorded",
    )  # fmt: skip
    return told if has_content(told) else msgspec.structs.replace(told, missing=NO_CONTENT)


def tool_names(definitions: str) -> list[str]:
    """Names of the tools in a JSON list of definitions, whatever its convention; empty when it is none."""
    try:
        listed = msgspec.json.decode(definitions) if definitions else []
    except (msgspec.MsgspecError, RecursionError, ValueError):
        return []
    names = (_tool_name(one) for one in listed) if isinstance(listed, list) else iter(())
    return [name for name in names if name]


def _tool_name(definition: object) -> str:
    if not isinstance(definition, dict):
        return ""
    inner = definition.get("function")
    name = inner.get("name") if isinstance(inner, dict) else definition.get("name")
    return name if isinstance(name, str) else ""


def _number(number: float | None, unit: str = "") -> str:
    return "" if number is None else f"{number:.6g}{unit}"
