"""The screen: Textual and Rich live only here. Importing this package imports neither."""

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from console.domain.ports import EngineApi


def run(api: "EngineApi", environment: str, *, operate: str = "", first: str = "") -> int:
    """Show the screens until the operator leaves.

    Args:
        api: the engine; it may still be starting, the screen comes up at once and attaches after its first paint.
        environment: its name.
        operate: the reason with which to ask for `operate` at once; empty does not ask.
        first: the screen to begin with; empty is the Overview.

    Returns:
        The exit code: 0 when the operator left.
    """
    # A key is answered at the next frame: 120 a second keep that under 10 ms. Data is paced on its own (`pace.py`).
    os.environ.setdefault("TEXTUAL_FPS", "120")
    os.environ.setdefault("TEXTUAL_ANIMATIONS", "none")

    from console.places import config_path
    from console.ui import collector

    collector.rest()
    from console.ui.app import SwitchgearApp

    app = SwitchgearApp(api, environment, config_path().with_name("screen.json"), operate=operate, first=first)
    app.run(mouse=app.preferences.mouse)
    return app.return_code or 0
