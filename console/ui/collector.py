"""The garbage collector rests while the console starts: it would walk what is being imported and find nothing.

A seventh of the time to the first paint went into that. What has been imported by then stays for good, so later
collections are spared it too: a key never waits for a walk over every class of Textual.
"""

import gc


def rest() -> None:
    """Let nothing be collected until `resume`."""
    gc.disable()


def resume() -> None:
    """Collect from now on, but nothing that is here already; does nothing when the collector is at work."""
    if not gc.isenabled():
        gc.freeze()
        gc.enable()
