"""Jaeger, Tempo and Langfuse on the contract suite's bench, as documented."""

from collections.abc import Callable
from typing import Any

from adapters.jaeger import SPEC as JAEGER
from adapters.jaeger import JaegerOptions
from adapters.jaeger.backend import Jaeger
from adapters.langfuse import SPEC as LANGFUSE
from adapters.langfuse import LangfuseOptions
from adapters.langfuse.backend import Langfuse
from adapters.tempo import SPEC as TEMPO
from adapters.tempo import TempoOptions
from adapters.tempo.backend import Tempo
from console.domain.ports import AdapterSpec, Traces
from console.domain.readings import Request, Service
from tests.contract.bench import Subject
from tests.contract.documented import (
    Documented,
    DocumentedJaeger,
    DocumentedLangfuse,
    DocumentedTempo,
    hostile,
    now,
)
from tests.contract.trace_bench import URL, TraceBench, opening

Make = Callable[..., TraceBench]


def jaeger(store: Documented | None = None, **more: Any) -> TraceBench:
    """The adapter on a Jaeger."""
    return TraceBench(Jaeger, JaegerOptions(url=URL, **more), store or DocumentedJaeger(), now())


def tempo(store: Documented | None = None, **more: Any) -> TraceBench:
    """The adapter on a Tempo."""
    return TraceBench(Tempo, TempoOptions(url=URL, **more), store or DocumentedTempo(), now())


def langfuse(store: Documented | None = None, **more: Any) -> TraceBench:
    """The adapter on a Langfuse."""
    options = LangfuseOptions(url=URL, public_key="pk-lf-1", secret_key="env:SECRET", **more)
    return TraceBench(Langfuse, options, store or DocumentedLangfuse(), now())


def _subject(name: str, spec: AdapterSpec, make: Make, store: type[Documented]) -> Subject:
    return Subject(
        f"{name}-documented",
        spec,
        opening(make),
        acts=False,
        hostile=opening(lambda: make(store(hostile))),
        ports=(Traces,),
        shows=(Request, Service),
    )


DOCUMENTED = (
    _subject("jaeger", JAEGER, jaeger, DocumentedJaeger),
    _subject("tempo", TEMPO, tempo, DocumentedTempo),
    _subject("langfuse", LANGFUSE, langfuse, DocumentedLangfuse),
)
