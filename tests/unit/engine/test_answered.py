from console.domain.answers import Answers, Finish, Group
from console.engine.answered import Answered, AnsweredLately


def row(minute: int, deployment: str, service: str = "api", **more: int) -> Answers:
    finish = {Finish.STOP: 10, Finish.REFUSAL: more.pop("refused", 0)}
    group = Group(deployment=deployment, service=service)
    return Answers(at=60.0 * minute, group=group, calls=10, finish=finish, **more)  # type: ignore[arg-type]


def test_counts_of_a_deployment_are_those_of_whole_minutes_since_a_moment() -> None:
    lately = AnsweredLately()
    for minute in range(1, 6):
        lately.hear(
            (row(minute, "a", structured=4, unparsed=1), row(minute, "a", "worker", refused=2), row(minute, ""))
        )
    assert lately.since("a", 120.0) == Answered(answers=66, refused=6, structured=12, unparsed=3)
    assert lately.since("a", 121.0) == Answered(answers=44, refused=4, structured=8, unparsed=2)
    assert lately.since("a", 300.0) == Answered()


def test_nothing_is_known_of_what_no_store_names_and_nothing_is_kept_for_ever() -> None:
    lately = AnsweredLately()
    assert lately.since("a", 0.0) is None
    lately.hear((row(1, "a"),))
    lately.hear((row(61, "b"),))
    assert lately.since("a", 0.0) is None
    assert lately.since("b", 0.0) == Answered(answers=10)
