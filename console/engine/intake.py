"""What an adapter hands over is held against two rules before it reaches the board.

An adapter speaks for its own source only, and every reading must survive the way to a console: a number that is no
number, or text that is no Unicode, would otherwise end every console's stream. Only new or different readings are
tried, so a quiet source costs nothing.
"""

import msgspec

from console.domain.board import Board
from console.domain.errors import ErrorKind, Failure
from console.domain.readings import AnyReading, Observation, Source, same_values
from console.domain.refs import Kind
from console.domain.text import clean

_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[AnyReading] = msgspec.json.Decoder(AnyReading)


def admit(observation: Observation, source: str, board: Board) -> Observation:
    """The observation with only what may reach the board; what was left out is among its problems."""
    kept = []
    foreign = 0
    unsound: list[tuple[AnyReading, str]] = []
    known = board.readings
    for reading in observation.readings:
        if reading.ref.source != source or reading.ref.kind is Kind.SOURCE:
            foreign += 1
            continue
        before = known.get(reading.ref)
        if (before is None or not same_values(before, reading)) and (why := _unsound(reading)):
            unsound.append((reading, why))
        else:
            kept.append(reading)
    if len(kept) == len(observation.readings):
        return observation
    problems = [*observation.problems]
    if foreign:
        problems.append(_left_out(f"{foreign} readings belong to another source"))
    if unsound:
        reading, why = unsound[0]
        problems.append(_left_out(f"{len(unsound)} readings cannot be sent, such as {reading.ref}: {why}"))
    return msgspec.structs.replace(observation, readings=tuple(kept), problems=tuple(problems))


def sound(source: Source) -> Source:
    """A source's reading without the backend's words about itself, when those could not be sent."""
    if not (why := _unsound(source)):
        return source
    problem = _left_out(f"what {source.ref.name} says of itself cannot be sent: {why}")
    return msgspec.structs.replace(source, replicas=(), notes=(), problems=(problem,))


def _unsound(reading: AnyReading) -> str:
    """Why a reading would not survive its way to a console; empty when it would."""
    try:
        _decoder.decode(_encoder.encode(reading))
    except (msgspec.MsgspecError, ValueError, TypeError) as error:
        return str(error)
    return ""


def _left_out(what: str) -> Failure:
    return Failure(
        kind=ErrorKind.MALFORMED,
        message=clean(what) + "; they were left out",
        way_out="this is a fault of the adapter or its backend; report it",
    )
