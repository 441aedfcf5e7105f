"""The screen: Textual and Rich live only here. Importing this package imports neither."""

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from console.domain.ports import EngineApi
    from console.ui.staging import Staging


def run(
    api: "EngineApi", environment: str, *, operate: str = "", first: str = "", staging: "Staging | None" = None
) -> int:
    """Show the screens until the operator leaves.

    Args:
        api: the engine; it may still be starting, the screen comes up at once and attaches after its first paint.
        environment: its name.
        operate: the reason with which to ask for `operate` at once; empty does not ask.
        first: the screen to begin with; empty is the Overview.
        staging: the incidents that the demo can begin with, and where a wish for another one is left.

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

    preferences = config_path().with_name("screen.json")
    app = SwitchgearApp(api, environment, preferences, operate=operate, first=first, staging=staging)
    app.run(mouse=app.preferences.mouse)
    return app.return_code or 0
