"""LiteLLM itself is held to the adapters' contract.

Left to the recordings: what only a gateway with a day of traffic shows, and a plan's way through JSON.
"""

from tests.contract.test_acting import (  # noqa: F401 - collected here, with this folder's bench
    test_a_repeatable_step_may_be_repeated,
    test_a_replica_that_cannot_be_asked_proves_nothing,
    test_a_step_that_is_not_the_adapters_own_is_refused,
    test_an_action_is_seen_on_every_replica_and_so_is_its_way_back,
    test_every_replica_is_asked,
    test_nothing_is_proved_before_it_is_done,
    test_the_generation_tells_when_somebody_else_was_there,
)
from tests.contract.test_observing import (  # noqa: F401
    test_a_check_never_raises_and_says_something,
    test_a_check_says_of_every_replica_whether_it_is_there,
    test_an_observation_has_no_fault,
    test_it_is_what_its_ports_say,
)
from tests.contract.test_planning import (  # noqa: F401
    test_a_switch_to_nowhere_is_unsupported,
    test_an_object_that_is_able_gets_a_whole_plan,
    test_an_object_that_is_not_able_says_the_same_reason,
    test_planning_touches_nothing,
    test_what_is_not_there_cannot_be_planned,
)
