"""The OpenAPI page, generated from the routes and the domain's own types."""

import re
from typing import Any

import msgspec

from console import __version__
from console.domain.wire import PROTOCOL, Problem
from console.server.routes import EVENTS, OPENAPI, QUESTIONS, STREAMED, Question

_PLACE = "#/components/schemas/{name}"


def page() -> dict[str, Any]:
    """An OpenAPI 3.1 document of every route."""
    types: dict[Any, None] = dict.fromkeys(
        kind for question in QUESTIONS for kind in (question.takes, question.gives) if kind is not None
    )
    ordered = [*types, STREAMED, Problem]
    schemas, components = msgspec.json.schema_components(ordered, ref_template=_PLACE)
    schema_of = dict(zip(ordered, schemas, strict=True))
    problem = {
        "description": "No, and why",
        "content": {"application/json": {"schema": schema_of[Problem]}},
    }
    paths: dict[str, dict[str, Any]] = {}
    for question in QUESTIONS:
        paths.setdefault(question.path, {})[question.method.lower()] = _operation(question, schema_of, problem)
    paths[EVENTS] = {
        "get": {
            "summary": "A snapshot, then every change, one JSON event a line; a heartbeat when nothing changes",
            "responses": {
                "200": {
                    "description": "Lines until either side goes",
                    "content": {"application/x-ndjson": {"schema": schema_of[STREAMED]}},
                },
                "default": problem,
            },
        }
    }
    paths[OPENAPI] = {"get": {"summary": "This page", "responses": {"200": {"description": "OpenAPI 3.1"}}}}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Switchgear engine",
            "version": __version__,
            "description": f"HTTP over the engine's Unix socket, protocol {PROTOCOL}. The kernel says who asks.",
        },
        "paths": paths,
        "components": {"schemas": components},
    }


def _operation(question: Question, schema_of: dict[Any, Any], problem: dict[str, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {"summary": question.words, "responses": {"default": problem}}
    if question.gives is None:
        operation["responses"]["204"] = {"description": "Done"}
    else:
        content = {"application/json": {"schema": schema_of[question.gives]}}
        operation["responses"]["200"] = {"description": "The answer", "content": content}
    if question.takes is not None:
        content = {"application/json": {"schema": schema_of[question.takes]}}
        operation["requestBody"] = {"required": True, "content": content}
    names = re.findall(r"\{(\w+)\}", question.path)
    if names:
        operation["parameters"] = [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names
        ]
    return operation
