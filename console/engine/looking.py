"""What consoles look at in detail, told to the sources that cannot afford all details of everything."""

from collections import defaultdict
from collections.abc import Mapping

from console.domain.ports import Adapter, Clock, Focused
from console.domain.refs import Ref
from console.domain.wire import FOCUS_MOST, FOCUS_S


class Looking:
    """The focus of every console that has one; a console that says nothing more is forgotten after `FOCUS_S`."""

    def __init__(self, adapters: Mapping[str, Adapter], clock: Clock) -> None:
        self._adapters = {name: item for name, item in adapters.items() if isinstance(item, Focused)}
        self._clock = clock
        self._told: dict[str, tuple[Ref, ...]] = {}
        self._looks: dict[object, tuple[float, tuple[Ref, ...]]] = {}

    def look(self, who: object, refs: tuple[Ref, ...]) -> None:
        """`who` looks at `refs` from now on; the newest first, and at most `FOCUS_MOST` of all together a source."""
        now = self._clock.monotonic()
        self._looks.pop(who, None)
        self._looks = {key: look for key, look in self._looks.items() if now - look[0] < FOCUS_S}
        self._looks[who] = (now, refs[:FOCUS_MOST])
        wanted: dict[str, dict[Ref, None]] = defaultdict(dict)
        for _, seen in reversed(self._looks.values()):
            for ref in seen:
                wanted[ref.source][ref] = None
        for name, adapter in self._adapters.items():
            told = tuple(wanted.get(name, ()))[:FOCUS_MOST]
            if told != self._told.get(name, ()):
                self._told[name] = told
                adapter.focus(told)
