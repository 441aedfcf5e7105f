"""The one reason for which the real tier may be skipped."""


class Missing(Exception):
    """Something that a real server needs cannot be had on this machine; the text says what, and the way out."""
