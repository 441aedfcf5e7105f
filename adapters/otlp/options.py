"""The settings of a source with `adapter: otlp`."""

from adapters.spans.options import TraceOptions


class OtlpOptions(TraceOptions):
    """Which file is read, and how much of it is shown; `aliases` are those that the collector is told too."""

    file: str | None = None
    """The file that `switchgear collect` writes; left out, the one that it writes when nobody says otherwise."""
