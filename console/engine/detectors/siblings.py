"""A provider and its deployments: what is wrong with one of them is said of it, and not of the provider too."""

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from console.domain.board import Board
from console.domain.readings import Provider
from console.domain.refs import Kind, Ref
from console.engine.detectors.base import Condition


class Siblings(NamedTuple):
    """What is known of a provider's deployments."""

    ill: int
    judged: int
    """Those of which it can be said at all."""

    @property
    def together(self) -> bool:
        """Whether it is the provider's own trouble: several are ill, and more than half of them."""
        return self.ill > 1 and 2 * self.ill > self.judged


def siblings(provider: Provider, is_ill: Callable[[Ref], bool | None]) -> Siblings:
    """Ask each deployment of a provider whether it is ill; `is_ill` says None of one that is not judged."""
    refs = [Ref(provider.ref.source, Kind.DEPLOYMENT, name) for name in provider.deployments]
    judged = [ill for ref in refs if (ill := is_ill(ref)) is not None]
    return Siblings(sum(judged), len(judged))


def without_what_one_explains(
    conditions: Iterable[Condition], board: Board, is_ill: Callable[[Ref], bool | None]
) -> Iterator[Condition]:
    """Conditions but those of a provider whose deployments are not ill together."""
    for condition in conditions:
        provider = board.readings.get(condition.ref)
        if isinstance(provider, Provider):
            known = siblings(provider, is_ill)
            if known.judged and not known.together:
                continue
        yield condition
