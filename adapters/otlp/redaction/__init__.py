"""What must not be kept: rules for attributes and texts, applied to a span before anything else is made of it.

Expressions are RE2's: a text of n characters costs time that grows with n, whatever the expression and the text are.
Python's own `re` needs 9 seconds for 65,536 letters under an everyday expression for e-mail addresses, RE2 0.1 ms.
"""

from adapters.otlp.redaction.rules import DEFAULTS, Rule, read_rules
from adapters.otlp.redaction.screen import Redaction

__all__ = ["DEFAULTS", "Redaction", "Rule", "read_rules"]
