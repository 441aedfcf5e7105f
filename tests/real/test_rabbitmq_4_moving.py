"""Moving messages on RabbitMQ 4: opt in as `test_rabbitmq_4.py` says."""

from tests.real.test_rabbitmq_4 import broker, newer_broker, pytestmark  # noqa: F401 - this file's broker
from tests.real.test_rabbitmq_moving import (  # noqa: F401 - collected here, with that broker
    bench,
    test_a_broker_killed_in_the_middle_loses_none_and_doubles_no_more_than_said,
    test_a_consumer_that_holds_messages_unacknowledged_keeps_them_and_park_says_so,
    test_a_mistyped_queue_is_refused_and_not_made,
    test_a_parameter_without_a_shovel_is_noticed_and_put_again,
    test_a_parking_queue_that_a_policy_limits_is_refused_before_anything_is_moved,
    test_a_parking_queue_that_becomes_full_ends_the_park_with_the_reason,
    test_a_paused_queue_gives_its_workers_nothing_and_resuming_gives_everything_back,
    test_a_purge_whose_file_cannot_be_written_takes_nothing_away,
    test_a_purge_writes_every_message_to_a_private_file_before_it_goes,
    test_a_queue_is_finished_while_new_work_waits_elsewhere,
    test_a_replay_keeps_its_rate,
    test_a_worker_that_is_attached_while_parking_gets_what_it_gets_and_none_is_lost,
    test_an_engine_that_dies_leaves_a_batch_to_end_and_the_next_goes_on_from_the_steps_alone,
    test_dead_letters_go_back_once_and_keep_why_they_died,
    test_nothing_that_is_done_to_a_quorum_queue_counts_as_a_failed_delivery,
    test_of_a_shared_dead_letter_queue_only_this_queues_letters_go_back,
    test_retries_are_set_aside_and_first_tries_keep_their_places,
    test_stopping_lets_the_batch_end_so_that_nothing_comes_twice,
    test_the_check_tries_amqp,
    test_what_is_parked_comes_back_in_order_with_headers_priority_and_time,
    test_without_amqp_the_management_api_counts_and_the_rest_is_said,
)
