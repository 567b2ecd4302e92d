import json
import subprocess
import sys
import time
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from serve_app.game.ended_game import EndedGame
from serve_app.schemas import Outcome, Prediction
from serve_app.storage.errors import StaleWriteError, StoreAddressError
from serve_app.storage.games import GameAdvance, GameSums
from serve_app.storage.journal import JournalEntry
from serve_app.storage.store import Store
from tests.serve_app.conftest import forecast, registration


def prediction(game_id: str, point: float) -> Prediction:
    return Prediction.model_validate(
        {
            **forecast(point).model_dump(),
            "game_id": game_id,
            "pattern": [0.1 + 0.2] * 18,
            "made_at": "2024-01-02T03:04:05Z",
            "quarter": 2,
            "time_remaining": "6:00",
            "minutes_carried_forward": 0,
        }
    )


def test_a_transaction_that_raises_leaves_nothing(any_store: Store):
    def fail_in_the_middle() -> None:
        with any_store.writing():
            any_store.games.add(registration())
            any_store.journal.append([JournalEntry("g1", "game", 1.0, "{}")])
            raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError, match="in the middle"):
        fail_in_the_middle()
    assert any_store.games.get("g1") is None
    assert any_store.journal.last_seq() == 0


def test_only_the_first_prediction_of_a_game_is_kept(any_store: Store):
    with any_store.writing():
        any_store.games.add(registration())
        any_store.predictions.freeze(prediction("g1", 1.0))
    with pytest.raises(StaleWriteError), any_store.writing():
        any_store.predictions.freeze(prediction("g1", 2.0))
    kept = any_store.predictions.get("g1")
    assert kept == prediction("g1", 1.0)


def test_pages_of_the_log_neither_overlap_nor_skip(any_store: Store):
    with any_store.writing():
        for number in range(5):
            any_store.games.add(registration(f"g{number}"))
            any_store.predictions.freeze(prediction(f"g{number}", float(number)))
    first = any_store.predictions.page(0, 3)
    rest = any_store.predictions.page(first[-1][0], 3)
    assert [p.game_id for _, p in [*first, *rest]] == [f"g{number}" for number in range(5)]


def test_the_newest_outcomes_are_those_of_predictions_made_in_time(any_store: Store):
    known = {"error": 0, "persistence_error": 0, "covered": True, "resolved_at": "2024-01-02"}
    with any_store.writing():
        for number in range(5):
            game_id = f"g{number}"
            made = prediction(game_id, float(number))
            any_store.games.add(registration(game_id))
            late = made.model_copy(update={"made_after_halftime": number == 3})
            any_store.predictions.freeze(late)
            if number < 4:
                outcome = Outcome.model_validate({**known, "halftime_margin": 10 * number})
                any_store.predictions.set_outcome(game_id, outcome)
    newest = any_store.predictions.newest_resolved(3)
    assert [(one.point, one.actual) for one in newest] == [(1.0, 10), (2.0, 20)]


def test_a_game_that_nobody_ends_is_not_monitored_for_ever(any_store: Store):
    day, now = 86_400.0, time.time()
    with any_store.writing():
        for game_id in ("ended", "played", "waiting"):
            any_store.games.add(registration(game_id))
        any_store.games.end("ended")
        sums = GameSums("live", 1, 0, now)
        any_store.games.advance([GameAdvance("played", 0, None, sums)])
    counts = [any_store.games.count_monitored(now + days * day) for days in (0, 0.9, 1.1, 6.9, 7.1)]
    assert counts == [2, 2, 1, 1, 0]


def test_many_processes_may_open_a_new_store_at_once(tmp_path: Path):
    program = (
        "import sys; from pathlib import Path; from serve_app.storage.store import Store; "
        "print('ready', flush=True); sys.stdin.readline(); "
        "[Store.at(Path(sys.argv[1]) / str(n)).journal.last_seq() for n in range(8)]"
    )
    openers = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(tmp_path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    for opener in openers:
        assert opener.stdout is not None
        assert opener.stdout.readline() == "ready\n"
    for opener in openers:
        assert opener.stdin is not None
        opener.stdin.write("go\n")
        opener.stdin.flush()
    errors = [opener.communicate(timeout=120)[1] for opener in openers]
    assert errors == [""] * len(openers)


def test_another_connection_sees_what_was_committed(store: Store, tmp_path: Path):
    with store.writing():
        store.games.add(registration())
        store.journal.append([JournalEntry("g1", "score", 5.0, '{"a": 1}')])
    other = Store.at(tmp_path / "data")
    assert other.journal.scores("g1") == ('{"a": 1}', 5.0)
    assert other.games.newest(10) == ["g1"]
    other.close()


def test_a_password_in_the_address_is_refused_and_not_told(tmp_path: Path):
    for open_store in (Store.at, Store.existing):
        with pytest.raises(StoreAddressError, match="PGPASSWORD") as refused:
            open_store(tmp_path, "postgresql://me:pass-word@somewhere/games")
        assert "pass-word" not in str(refused.value)


def ended_game(game_id: str, day: date = date(2024, 1, 5)) -> EndedGame:
    return EndedGame(
        game_id=game_id,
        date=day,
        season=2023,
        playoffs=False,
        home="BOS",
        away="LAL",
        expected_margin=None,
        final_home=101,
        final_away=99,
        margins=tuple(range(48)),
        last_score=(1,) * 48,
    )


def add_ended(any_store: Store, *games: EndedGame) -> None:
    with any_store.writing():
        for game in games:
            any_store.games.add(registration(game.game_id), game.date)
            any_store.games.set_ended(game)


def test_an_ended_game_is_unlearned_until_each_model_version_has_learned_it(any_store: Store):
    late, early = ended_game("late", date(2024, 1, 9)), ended_game("early")
    add_ended(any_store, late, early)
    assert any_store.lessons.unlearned_games("one") == [early, late]
    assert any_store.lessons.add("one", "early", early.date, '{"a": 1}')
    assert not any_store.lessons.add("one", "early", early.date, '{"a": 2}')
    assert any_store.lessons.unlearned_games("one") == [late]
    assert any_store.lessons.unlearned_games("two") == [early, late]
    assert any_store.lessons.unlearned_games("two", early.date) == [late]


def test_what_was_learned_is_read_from_a_version_on(any_store: Store):
    add_ended(any_store, *(ended_game(name) for name in "abc"))
    for name in "bac":
        any_store.lessons.add("one", name, date(2024, 1, 5), json.dumps(name))
    any_store.lessons.add("two", "a", date(2024, 1, 5), "{}")
    learned = any_store.lessons.learned_games("one")
    assert [(row.game_id, row.day, row.payload) for row in learned] == [
        (name, "2024-01-05", f'"{name}"') for name in "bac"
    ]
    assert any_store.lessons.learned_games("one", learned[0].version) == learned[1:]
    assert [row.game_id for row in any_store.lessons.learned_games("two")] == ["a"]


def test_a_game_without_a_course_comes_back_as_it_was(any_store: Store):
    game = replace(ended_game("g"), margins=None, last_score=None)
    add_ended(any_store, game)
    assert any_store.lessons.unlearned_games("one") == [game]
