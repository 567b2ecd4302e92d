import pytest
from starlette.datastructures import QueryParams

from serve_app.api.problems import InvalidRequest
from serve_app.live.subscription import Subscription, subscription_of


def of(query: str, last_event_id: str | None = None) -> Subscription:
    return subscription_of(QueryParams(query), last_event_id)


def test_nothing_asked_for_is_everything():
    assert of("") == Subscription()


def test_parameters_may_come_again_and_again():
    assert of("since=12&game=a&game=b&type=score&type=ended") == Subscription(
        12, frozenset({"a", "b"}), frozenset({"score", "ended"})
    )


def test_news_of_the_system_is_only_for_who_names_it():
    assert of("type=system").wants_system
    assert of("game=a&type=score&type=system").wants_system
    assert not of("").wants_system
    assert not of("type=score").wants_system


def test_where_an_event_source_was_is_newer_than_its_address():
    assert of("since=12", "40").since == 40


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("since=-1", "since: expected the seq of a message"),
        ("since=", "since: expected the seq"),
        ("since=1e3", "got '1e3'"),
        ("since=" + "9" * 19, "since: expected"),
        ("since=%D9%A1", "since: expected"),
        ("type=scores", "type: expected one of"),
        ("type=snapshot", "type: expected one of"),
        ("game=%00", "game: expected the id of a game"),
        ("game=", "game: expected the id of a game"),
        ("games=a", "games: expected one of the parameters"),
        ("&".join(f"game={n}" for n in range(201)), "at most 200 games; got '201 games'"),
    ],
)
def test_a_wrong_parameter_says_what_was_expected(query: str, told: str):
    with pytest.raises(InvalidRequest, match=told):
        of(query)


def test_a_wrong_last_event_id_too():
    with pytest.raises(InvalidRequest, match="since: expected"):
        of("", "abc")
