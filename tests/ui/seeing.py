"""What stands on the screen, and waiting for it."""

from collections.abc import Callable
from typing import Any

from textual.pilot import Pilot

from console.ui.app import SwitchgearApp
from tests.ui.scripted import screen_text


async def until(pilot: Pilot[Any], condition: Callable[[], object]) -> None:
    """Give the app time until the condition holds; what stands on the screen is said when it never does."""
    for turn in range(600):  # a look at the screen costs some milliseconds: soon often enough, then seldom
        if condition():
            await pilot.pause()
            return
        await pilot.pause(min(0.02 + turn * 0.005, 0.15))
    app = pilot.app
    assert isinstance(app, SwitchgearApp)
    raise AssertionError("it did not happen:\n" + "\n".join(screen_text(app)))


def shows(app: SwitchgearApp, *words: str) -> bool:
    """Whether all these words stand on the screen."""
    text = "\n".join(screen_text(app))
    return all(word in text for word in words)
