"""The same on RabbitMQ 4, which Debian 12 does not have: opt in with a Debian 13 in a folder.

debootstrap --variant=minbase --include=rabbitmq-server trixie FOLDER http://deb.debian.org/debian
SWITCHGEAR_TEST_RABBITMQ_ROOT=FOLDER .venv/bin/pytest tests/real/test_rabbitmq_4.py
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.real.stack.processes import Nursery
from tests.real.stack.rabbitmq import RabbitServer, program_in, start_rabbitmq
from tests.real.test_rabbitmq_seen import (  # noqa: F401 - collected here, with this file's broker
    test_a_broker_that_is_killed_is_unreachable_and_back_with_its_messages,
    test_a_policy_that_sends_dead_letters_away_is_seen,
    test_an_age_is_estimated_from_what_was_published,
    test_an_age_is_exact_where_the_producer_says_when,
    test_an_engine_that_starts_late_takes_the_age_from_the_servers_own_past,
    test_an_exclusive_queue_says_why_nothing_can_be_done,
    test_backlog_workers_and_flow,
    test_dead_letters_and_why_are_found_and_looking_loses_none,
    test_redeliveries_are_seen,
    test_the_coarse_numbers_are_those_of_the_listing,
    test_two_virtual_hosts,
    test_what_a_user_lacks_is_said,
)

ROOT = os.environ.get("SWITCHGEAR_TEST_RABBITMQ_ROOT", "")

pytestmark = pytest.mark.skipif(not ROOT, reason="SWITCHGEAR_TEST_RABBITMQ_ROOT names no Debian 13 with a RabbitMQ 4")


@pytest.fixture(scope="module")
def newer_broker() -> Iterator[RabbitServer]:
    """A RabbitMQ 4 for this file."""
    root = Path(ROOT)
    nursery = Nursery(root / "tmp")
    try:
        yield start_rabbitmq(nursery, "rabbitmq-4", install=program_in(root))
    finally:
        nursery.close()


@pytest.fixture
def broker(newer_broker: RabbitServer) -> RabbitServer:
    """The running broker, empty."""
    newer_broker.clear()
    return newer_broker
