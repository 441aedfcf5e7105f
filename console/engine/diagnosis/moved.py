"""Who only got the load of somebody else: alerts that follow from others of the same case.

When a deployment fails, the gateway sends its requests to the others of the route and to what the route falls back to;
some of those then grow slow, are throttled or fail, and with them whatever else goes to the same provider. All of that
begins later, and where more is asked for than before.
"""

from collections.abc import Mapping

from console.domain.alerts import Alert
from console.engine.diagnosis.grouping import Case
from console.engine.diagnosis.rules import LOAD, costs_money, rule_of
from console.engine.diagnosis.topology import Node, Place, Topology
from console.engine.diagnosis.usual import Usual

AFTER_S = 45.0
"""Load that went elsewhere is felt there this long after the first alert, at the earliest."""
FELT = LOAD | {"errors"}
"""How too much load shows."""


def moved(case: Case, places: Mapping[str, Place], topology: Topology, usual: Usual) -> set[str]:
    """Ids of the alerts that only tell of load that was moved. What was once seen as such stays it (`Case.moved`)."""
    origins: set[Node] = set()
    victims: set[Node] = set()
    rules: set[str] = set()
    first_at = min(case.began.values(), default=case.since)
    for alert in sorted(case.evidence.values(), key=lambda a: (case.began.get(a.id, a.since), a.id)):
        theirs = topology.deployments_of(places[alert.id].own)
        if not theirs or costs_money(alert):
            continue
        late = case.began.get(alert.id, alert.since) - first_at >= AFTER_S
        if alert.id in case.moved or (late and _follows(alert, theirs, origins, victims, rules, topology, usual)):
            case.moved.add(alert.id)
            victims |= theirs
        else:
            origins |= theirs
            rules.add(rule_of(alert))
    return case.moved & case.evidence.keys()


def _follows(
    alert: Alert,
    theirs: set[Node],
    origins: set[Node],
    victims: set[Node],
    rules: set[str],
    topology: Topology,
    usual: Usual,
) -> bool:
    if rule_of(alert) not in FELT or theirs & origins:
        return False
    at = {topology.provider_of(node) for node in theirs}
    if at & {topology.provider_of(node) for node in origins}:
        return False
    if at & {topology.provider_of(node) for node in victims}:
        return True
    takers = {taker for node in origins for taker in topology.takers_of(node)}
    for node in theirs & takers:
        reading = topology.deployments.get(node)
        risen = None if reading is None else usual.has_risen(reading)
        if risen or (risen is None and rule_of(alert) not in rules):
            return True
    return False
