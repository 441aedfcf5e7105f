"""OTLP over HTTP: what a request may look like, and what it is answered. Pure.

Answers have the form of the question: protobuf or JSON, a `google.rpc.Status` where something is wrong.
"""

import zlib
from dataclasses import dataclass
from enum import StrEnum

import msgspec

from adapters.otel import Aliases, Limits, MalformedOtlp, Normalised, Screen, TooLarge, from_json, from_protobuf

INVALID, EXHAUSTED, UNAVAILABLE, UNAUTHENTICATED = 3, 8, 14, 16
"""Codes of google.rpc."""


class Form(StrEnum):
    """How a body is written."""

    PROTOBUF = "application/x-protobuf"
    JSON = "application/json"


class Packing(StrEnum):
    """How a body is packed."""

    NONE = "identity"
    GZIP = "gzip"
    DEFLATE = "deflate"


@dataclass(frozen=True, slots=True)
class Body:
    """One request's body as it came."""

    form: Form
    packing: Packing
    data: bytes


def form_of(content_type: str) -> Form | None:
    """The form that a Content-Type names; None when it is none of OTLP's."""
    named = content_type.partition(";")[0].strip().lower()
    return Form(named) if named in (Form.PROTOBUF, Form.JSON) else None


def packing_of(content_encoding: str) -> Packing | None:
    """The packing that a Content-Encoding names; None when it is none that can be unpacked."""
    named = content_encoding.strip().lower() or Packing.NONE
    return Packing(named) if named in tuple(Packing) else None


def normalise(body: Body, aliases: Aliases, limits: Limits, most: int, screen: Screen | None = None) -> Normalised:
    """Every span of a body of at most `most` bytes, unpacked, or what `screen` leaves of it.

    Raises:
        MalformedOtlp: it is none of OTLP's.
        TooLarge: it is larger, or has too many spans.
    """
    data = _unpacked(body, most)
    if body.form is Form.PROTOBUF:
        return from_protobuf(data, aliases, limits, screen)
    try:
        document = msgspec.json.decode(data)
    except (msgspec.MsgspecError, RecursionError, ValueError) as error:
        raise MalformedOtlp(f"the body is no JSON: {error}") from error
    return from_json(document, aliases, limits, screen)


def _unpacked(body: Body, most: int) -> bytes:
    if body.packing is Packing.NONE:
        return body.data
    # 47: gzip or zlib, as the data itself says; "deflate" on the wire is zlib.
    loosen = zlib.decompressobj(47)
    try:
        data = loosen.decompress(body.data, most)
        if loosen.unconsumed_tail:
            raise TooLarge
        data += loosen.flush()
    except zlib.error as error:
        raise MalformedOtlp(f"the body is not {body.packing}: {error}") from error
    if not loosen.eof:
        raise MalformedOtlp(f"the body's {body.packing} ends early")
    return data


def accepted(form: Form, rejected: int, why: str) -> bytes:
    """The answer to a body that was kept; `rejected` spans of it were not, and `why` says why."""
    if form is Form.JSON:
        partial = {"partialSuccess": {"rejectedSpans": str(rejected), "errorMessage": why}} if rejected else {}
        return msgspec.json.encode(partial)
    if not rejected:
        return b""
    partial_success = b"\x08" + _varint(rejected) + _text(2, why)
    return b"\x0a" + _varint(len(partial_success)) + partial_success


def refused(form: Form, code: int, why: str) -> bytes:
    """The answer to a body that was not kept: a google.rpc.Status."""
    if form is Form.JSON:
        return msgspec.json.encode({"code": code, "message": why})
    return b"\x08" + _varint(code) + _text(2, why)


def _text(field: int, text: str) -> bytes:
    data = text.encode()
    return bytes((field << 3 | 2,)) + _varint(len(data)) + data


def _varint(number: int) -> bytes:
    parts = bytearray()
    while number > 0x7F:
        parts.append(number & 0x7F | 0x80)
        number >>= 7
    parts.append(number)
    return bytes(parts)
