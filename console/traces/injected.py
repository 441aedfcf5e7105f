"""The context that a request's prompts were filled with: templates, variables and instructions."""

from console.domain.reconstruction import Piece
from console.domain.spans import Content, Message, Span, SpanKind
from console.traces.case import NO_CONTENT, Case, Named, piece, prompt_of

_INSTRUCTS = frozenset({"system", "developer"})


def injected(case: Case) -> list[Piece]:
    """Each template with its variables once, and each instruction once: libraries copy them onto every span."""
    seen: set[tuple[str, ...]] = set()
    found: list[Piece] = []
    unsaid: list[tuple[int, str]] = []
    said: set[str] = set()
    for place in sorted(range(len(case.tree.spans)), key=case.tree.starts.__getitem__):
        span = case.tree.spans[place]
        prompt = prompt_of(span)
        if span.content is None and not prompt:
            continue
        one = _template(case, place, prompt, seen)
        if one is not None:
            found.append(one)
            said.add(prompt)
        elif prompt:
            unsaid.append((place, prompt))
        if span.kind is SpanKind.MODEL and span.content is not None:
            told = _instructions(case, place, span.content, prompt, seen)
            found += told
            said.update({prompt} if told else ())
    return found + _named_only(case, unsaid, said)


def _template(case: Case, place: int, prompt: str, seen: set[tuple[str, ...]]) -> Piece | None:
    span = case.tree.spans[place]
    content = span.content
    if content is None:
        return None
    text, variables = content.template, content.variables
    if not text and not variables and _is_prompt(span):
        text, variables = content.output, content.input
    if not text and not variables:
        return None
    key = ("template", prompt, text, variables)
    if key in seen:
        return None
    seen.add(key)
    return piece(
        case, place, text=text, arguments=variables, facts=_facts(prompt), took_s=_own_time(case, place),
        missing="" if text else "the template is not recorded",
    )  # fmt: skip


def _instructions(case: Case, place: int, content: Content, prompt: str, seen: set[tuple[str, ...]]) -> list[Piece]:
    """A model call's instructions, beside its messages or among them."""
    messages = [message for message in content.messages_in if message.role in _INSTRUCTS and message.text]
    if content.system and all(message.text != content.system for message in messages):
        messages.insert(0, Message(role="system", text=content.system))
    fresh = [message for message in messages if ("message", message.text) not in seen]
    seen.update(("message", message.text) for message in fresh)
    return [piece(case, place, messages=fresh, facts=_facts(prompt))] if fresh else []


def _named_only(case: Case, unsaid: list[tuple[int, str]], said: set[str]) -> list[Piece]:
    """Prompts that are named and whose text nobody recorded."""
    found: list[Piece] = []
    for place, prompt in unsaid:
        if prompt not in said:
            said.add(prompt)
            found.append(piece(case, place, facts=_facts(prompt), missing=NO_CONTENT))
    return found


def _facts(prompt: str) -> list[Named]:
    return [("prompt", prompt)]


def _is_prompt(span: Span) -> bool:
    return str(span.attributes.get("openinference.span.kind", "")).lower() == "prompt"


def _own_time(case: Case, place: int) -> float | None:
    """Of a span that only made a prompt; what a model call took is its own stage's."""
    lone = case.tree.spans[place].kind is SpanKind.CHAIN and not case.tree.children[place]
    return case.tree.took(place) if lone else None
