import datetime
from collections.abc import Callable, Iterator

from serve_app.replay.night import Plan, nights, schedule, tip_off
from serve_app.replay.noise import NoiseRates
from serve_app.replay.recording import Recording

MakeRecording = Callable[..., Recording]
DAY = datetime.date(2024, 4, 14)


def test_the_first_tip_off_is_at_seven_eastern() -> None:
    moment = datetime.datetime.fromtimestamp(tip_off(DAY, 0) / 1000, datetime.UTC)
    assert moment.isoformat() == "2024-04-15T00:00:00+00:00"


def test_tip_offs_are_staggered_over_the_evening() -> None:
    offsets = [(tip_off(DAY, place) - tip_off(DAY, 0)) / 1000 for place in range(15)]
    assert len(set(offsets)) == 15
    assert 3 * 3600 < max(offsets) < 4 * 3600


def test_a_night_merges_its_games_in_the_order_of_sending(make_recording: MakeRecording) -> None:
    games = [make_recording([(1, 700.0, 2, 0)], game_id=f"g{number}") for number in range(3)]
    (night,) = nights(games, Plan(noise=NoiseRates()))
    merged = night.updates()
    assert [u.sent_ms for u in merged] == sorted(u.sent_ms for u in merged)
    for game in night.games:
        assert [u for u in merged if u.game_id == game.game_id] == game.updates
    started = [merged.index(game.updates[0]) for game in night.games]
    assert started == sorted(started)
    assert merged.index(night.games[0].updates[-1]) > started[-1]


def test_the_nights_of_a_season_come_one_by_one(make_recording: MakeRecording) -> None:
    days = [datetime.date(2024, 1, 1), datetime.date(2024, 1, 1), datetime.date(2024, 1, 3)]
    games = [make_recording([], game_id=f"g{n}", date=day) for n, day in enumerate(days)]
    asked: list[str] = []

    class Counting(list[Recording]):
        def __iter__(self) -> Iterator[Recording]:
            for game in super().__iter__():
                asked.append(game.game_id)
                yield game

    season = nights(Counting(games), Plan())
    first = next(season)
    assert (first.date, [game.game_id for game in first.games]) == (days[0], ["g0", "g1"])
    assert asked == ["g0", "g1", "g2"]  # the third shows that the first night is complete
    assert [game.game_id for game in next(season).games] == ["g2"]


def test_a_prefix_names_the_game_anew_and_gives_it_a_noise_of_its_own(
    make_recording: MakeRecording,
) -> None:
    recording = make_recording([(1, 700.0, 2, 0)])
    plan = Plan(prefix="again-", noise=NoiseRates())
    again = schedule(recording, tip_off(DAY, 0), plan)
    assert again.game_id == "again-0022300001"
    assert {update.game_id for update in again.updates} == {again.game_id}
    assert again.start_time == "2024-04-15T00:00:00+00:00"
