"""Memory that was needed for a moment goes back to the system.

An engine's look at ten thousand queues, and the snapshot that a console begins with, take megabytes for a tenth of a
second. glibc learns from that: once a block of 4 MB was freed it takes blocks of that size from its own heap, where one
small object that stays behind keeps all of it. Measured, 28 of an engine's 129 MB and 9 of a console's 62 lay there for
good. With thresholds of our own such blocks are mapped one by one and unmapped when they are freed.
"""

import ctypes
import sys

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
"""What glibc calls them (`malloc.h`)."""
LARGE = 256 * 1024
"""Bytes from which a block is mapped by itself: above the metrics page of a gateway, which comes every two seconds."""
ARENAS = 1
"""Heaps: the event loop and the journal's thread seldom ask for memory at the same moment."""


def spare() -> bool:
    """Set it so, before anything large was allocated; False where the C library is not glibc, which is no harm."""
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    settings = ((_TRIM_THRESHOLD, LARGE), (_MMAP_THRESHOLD, LARGE), (_ARENA_MAX, ARENAS))
    return all(mallopt(what, value) == 1 for what, value in settings)
