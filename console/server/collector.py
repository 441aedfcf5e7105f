"""The garbage collector leaves the engine's readings alone.

An engine keeps hundreds of thousands of objects for good (pages as they were read, the past of every object) and
lets go of nearly everything else by counting references. At Python's own thresholds the collector walked all of them
every three seconds: 0.4 s at 1,000 gateways, in which nothing was answered and looks were lost, for a few hundred
objects found. Readings themselves are not walked at all (`domain.readings`).
"""

import gc

_THRESHOLDS = (50_000, 20, 20)
"""Objects made and not yet gone, before the young are walked; walks of the young before the older; and of those,
before all."""


def settle() -> None:
    """What is here by now stays: it is not walked again, and what comes is walked seldom."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
