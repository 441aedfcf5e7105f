"""The garbage collector works when nobody waits: not while the console starts, and not in the middle of a paint.

While it starts, a collection would walk what is being imported and find nothing: a seventh of the time to the first
paint went into that. What has been imported by then stays for good, so later collections are spared it too. Once the
screen lives, most of what a paint makes (strips, segments, lines) is gone with the next one; it is collected after
the paint. The walk over everything is longer than a key may wait for with a thousand sources: it comes when hands rest.
"""

import gc

_LAST_RESORT = (50_000, 50, 1000)
"""Thresholds at which Python collects by itself: beyond those of `tidy`, for hours in which nothing is painted."""
_WHOLE_AFTER = 30
"""Collections of what is young between two of everything, when nobody is at the keys."""
_WHOLE_AT_LAST = 600
"""The same under a hand that never rests: ten minutes of paints."""
RESTING_S = 2.0
"""Seconds without a key after which nobody is at the keys."""


def rest() -> None:
    """Let nothing be collected until `resume`."""
    gc.disable()


def resume() -> None:
    """Collect from now on, but nothing that is here already; does nothing when the collector is at work."""
    if not gc.isenabled():
        from console.allocator import spare  # its import takes 2 ms, of which the first paint need not know

        spare()
        gc.freeze()
        gc.set_threshold(*_LAST_RESORT)
        gc.enable()


def tidy(hands_rest_s: float) -> None:
    """Collect what is young, now and then everything: call it when a paint is done.

    Args:
        hands_rest_s: how many seconds ago the last key was pressed.
    """
    whole = _WHOLE_AFTER if hands_rest_s >= RESTING_S else _WHOLE_AT_LAST
    gc.collect(2 if gc.get_count()[2] >= whole else 1)
