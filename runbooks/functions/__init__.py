"""What expressions can ask of the board: one module a subject, each function documented where it is defined."""

from runbooks.functions import alarms, flow, money, names, past, queues, state, values
from runbooks.functions.catalogue import FUNCTIONS, Function, Value, called

__all__ = [
    "FUNCTIONS", "Function", "Value", "alarms", "called", "flow", "money", "names", "past", "queues", "state", "values",
]  # fmt: skip
