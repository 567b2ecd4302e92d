import subprocess
import sys
from pathlib import Path

import pytest

from serve_app.schemas import Prediction
from serve_app.store import Store

from .conftest import forecast, registration


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


def test_a_transaction_that_raises_leaves_nothing(store: Store):
    def fail_in_the_middle() -> None:
        with store.transaction():
            store.add_game(registration())
            store.append([("g1", "game", 1.0, "{}")])
            raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError, match="in the middle"):
        fail_in_the_middle()
    assert store.game("g1") is None
    assert store.last_seq() == 0


def test_only_the_first_prediction_of_a_game_is_kept(store: Store):
    with store.transaction():
        store.add_game(registration())
        assert store.freeze(prediction("g1", 1.0))
        assert not store.freeze(prediction("g1", 2.0))
    kept = store.prediction("g1")
    assert kept == prediction("g1", 1.0)


def test_pages_of_the_log_neither_overlap_nor_skip(store: Store):
    with store.transaction():
        for number in range(5):
            store.add_game(registration(f"g{number}"))
            store.freeze(prediction(f"g{number}", float(number)))
    first = store.predictions(0, 3)
    rest = store.predictions(first[-1][0], 3)
    assert [p.game_id for _, p in [*first, *rest]] == [f"g{number}" for number in range(5)]


def test_many_processes_may_open_a_new_store_at_once(tmp_path: Path):
    program = (
        "import sys; from pathlib import Path; from serve_app.store import Store; "
        "print('ready', flush=True); sys.stdin.readline(); "
        "[Store(Path(sys.argv[1]) / str(n)).close() for n in range(30)]"
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
    with store.transaction():
        store.add_game(registration())
        store.append([("g1", "score", 5.0, '{"a": 1}')])
    other = Store(tmp_path / "data")
    assert [(row.seq, row.payload) for row in other.scores("g1")] == [(1, '{"a": 1}')]
    assert other.newest_games(10) == ["g1"]
    other.close()
