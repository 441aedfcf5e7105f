"""What looks like a credential is written nowhere: not into the audit log, not into a file that is handed on."""

import re

MASK = "[redacted]"

_SECRETS = re.compile(
    r"\bsk-[A-Za-z0-9_-]{16,}"  # keys of OpenAI, Anthropic, LiteLLM and those that copy them
    r"|\b(?:gh[pousr]_|xox[abpr]-|glpat-)[A-Za-z0-9_-]{16,}"
    r"|\bAKIA[0-9A-Z]{16}\b"
    r"|\bBearer\s+[A-Za-z0-9._~+/-]{8,}=*"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----"
    r"|(?<=://)[^/\s:@\"]*:[^/\s@\"]+(?=@)"  # user:password in an address
    r"|\beyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]*"  # a JSON web token
)


def redact(text: str) -> str:
    """The text with everything that looks like a credential replaced by `MASK`; JSON stays JSON."""
    return _SECRETS.sub(MASK, text)


def holds_secret(text: str) -> bool:
    """Whether `redact` would change the text."""
    return _SECRETS.search(text) is not None
