"""What the agents do, without a word of telemetry: they read, ask a model, run a tool, ask again, remember."""

from typing import Any

QUESTION = "Which coat for Oslo today?"
SOURCE = "wardrobe"
SNAPSHOT = "2026-11-20"
DOCUMENTS = (
    {"id": "d-1", "score": 0.75, "text": "Below 5 degrees: the wool coat."},
    {"id": "d-2", "score": 0.5, "text": "Above 5 degrees: the rain coat."},
)
PROMPT = "coat-advice"
PROMPT_VERSION = 7
TEMPLATE = "Advise on coats. What is known: {facts}"
MODEL = "gpt-4o"
TOOL = "weather"
TOOLS: list[dict[str, Any]] = [
    {
        "type": "function",
        "function": {
            "name": TOOL,
            "description": "The weather in a city",
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
        },
    }
]
STORE = "preferences"
MEMORY_KEY = "user-1/coat"
MEMORY_VERSION = 3


def search(question: str) -> tuple[dict[str, Any], ...]:
    """What the wardrobe's index has about a question."""
    assert question
    return DOCUMENTS


def variables() -> dict[str, str]:
    """What is put into the template."""
    return {"facts": " ".join(str(document["text"]) for document in DOCUMENTS)}


def prompted() -> list[dict[str, Any]]:
    """The first messages to the model."""
    return [{"role": "system", "content": TEMPLATE.format(**variables())}, {"role": "user", "content": QUESTION}]


def weather(city: str = "") -> str:
    """The tool."""
    return f"4 degrees in {city or 'Oslo'}"


def ask(client: Any, messages: list[dict[str, Any]], **more: Any) -> Any:
    """One call of the model; its message."""
    answer = client.chat.completions.create(model=MODEL, messages=messages, tools=TOOLS, temperature=0, **more)
    return answer.choices[0].message


def remember(text: str) -> str:
    """Write to memory; what that gives back."""
    return f"{MEMORY_KEY} is now: {text}"


def with_result(messages: list[dict[str, Any]], answer: Any, result: str) -> list[dict[str, Any]]:
    """The messages to the model once its tool has run."""
    call = answer.tool_calls[0]
    asked = {"id": call.id, "type": "function", "function": {"name": TOOL, "arguments": call.function.arguments}}
    return [
        *messages,
        {"role": "assistant", "tool_calls": [asked]},
        {"role": "tool", "content": result, "tool_call_id": call.id},
    ]
