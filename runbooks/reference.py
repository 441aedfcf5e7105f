"""What a file may hold and conditions can ask, as Markdown, from the code itself: `python -m runbooks.reference`."""

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from runbooks import schema
from runbooks.compiling import PLAIN, VARIABLES
from runbooks.functions import FUNCTIONS

SECTIONS: tuple[tuple[str, type[BaseModel]], ...] = (
    ("The file", schema.Runbook),
    ("`match[]`", schema.Match),
    ("`parameters.NAME`", schema.Parameter),
    ("`preconditions[]`", schema.Precondition),
    ("`steps[]`", schema.Step),
    ("`action`, and `rollback` where it is one", schema.Action),
    ("`ramp`", schema.Ramp),
    ("`wait`", schema.Wait),
    ("`manual`", schema.Manual),
    ("`branch[]`", schema.Turn),
    ("`command`", schema.Command),
    ("`verify`", schema.Verify),
)
"""Each part of a file, in the order of the page."""
TIMES = frozenset({"for", "hold", "interval", "keep", "patience", "timeout"})
"""Keys that are durations."""
UNITS = {"s": "seconds", "part": "0 to 1", "bool": "true, false", "names": "list of names", "": "number"}


def keys() -> str:
    """A table a part of the file."""
    lines: list[str] = []
    for title, model in SECTIONS:
        lines += [f"**{title}**", "", "| Key | Default | What |", "|---|---|---|"]
        for name, field in model.model_fields.items():
            lines.append(f"| `{field.alias or name}` | {_default(name, field)} | {_flat(field.description or '')} |")
        lines.append("")
    return "\n".join(lines)


def _default(name: str, field: FieldInfo) -> str:
    value = field.default
    if field.is_required():
        return "required"
    if value is PydanticUndefined or value is None or value in ("", ()):
        return "–"
    if isinstance(value, tuple):
        return "`[" + ", ".join(f"{one:g}" for one in value) + "]`"
    if isinstance(value, float) and (field.alias or name) in TIMES:
        return f"`{value / 60:g}m`" if value >= 60 else f"`{value:g}s`"
    return f"`{value:g}`" if isinstance(value, float) else f"`{value}`"


def functions() -> str:
    """A table a subject of functions, and one of the variables."""
    lines = ["**Variables**, beside the parameters", "", "| Variable | What |", "|---|---|"]
    lines += [f"| `{name}` | {_flat(words)} |" for name, words in VARIABLES.items()]
    group = ""
    for one in FUNCTIONS.values():
        if one.group != group:
            group = one.group
            lines += ["", f"**{group[:1].upper()}{group[1:]}**", "", "| Function | Gives | What |", "|---|---|---|"]
        lines.append(f"| `{one.signature}` | {UNITS.get(one.unit, one.unit)} | {_flat(one.docs)} |")
    lines += ["", "**Of CEL itself**", "", "| | |", "|---|---|"]
    lines += [f"| `{name}` | {_flat(words)} |" for name, words in PLAIN.items()]
    return "\n".join(lines) + "\n"


def _flat(words: str) -> str:
    return " ".join(words.split()).replace("|", "\\|")


if __name__ == "__main__":
    print(keys(), functions(), sep="\n")  # noqa: T201  this is its purpose
