"""The command palette's entries: the registry, by its words. Those that do not work here say why."""

from functools import partial
from typing import TYPE_CHECKING, cast

from textual.command import DiscoveryHit, Hit, Hits, Provider

from console.ui.command import Command
from console.ui.commands import COMMANDS
from console.ui.keymap import key_of, spell

if TYPE_CHECKING:
    from console.ui.app import SwitchgearApp


class RegistryProvider(Provider):
    """Finds commands; running one goes through the same door as its key."""

    @property
    def _desk(self) -> "SwitchgearApp":
        return cast("SwitchgearApp", self.app)

    async def discover(self) -> Hits:
        """All of them, before anything is typed."""
        for command in COMMANDS:
            if command.name != "palette":
                yield DiscoveryHit(command.name, partial(self._desk.command, command.name), help=self._help(command))

    async def search(self, query: str) -> Hits:
        """Those whose name, title or help fits the query."""
        matcher = self.matcher(query)
        for command in COMMANDS:
            score = max(matcher.match(command.name), matcher.match(command.title), 0.7 * matcher.match(command.help))
            if score > 0 and command.name != "palette":
                yield Hit(
                    score,
                    matcher.highlight(command.name),
                    partial(self._desk.command, command.name),
                    text=command.name,
                    help=self._help(command),
                )

    def _help(self, command: Command) -> str:
        key = key_of(command, self._desk.preferences.keymap)
        why = command.why_not(self._desk)
        return f"{spell(key) + '  ' if key else ''}{'not now: ' + why if why else command.help}"
