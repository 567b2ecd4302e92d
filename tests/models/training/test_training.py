from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models.calibration.calibration import Calibration
from models.calibration.learning import game_errors
from models.errors import DataError
from models.forecasters.drift import Drift
from models.forecasters.ensemble import Ensemble
from models.game.games import GameTable
from models.game.horizon import cell_of
from models.ratings.strength import TeamStrength, expected_margins
from models.training.bundle import Split
from models.training.model_card import model_card
from models.training.training import Trained, TrainingPlan, split_seasons, train_bundle
from tests.models.conftest import PLAN, make_games


def test_seasons_are_split_in_order_of_time() -> None:
    seasons = [2014, 2010, 2012, 2013, 2015, 2017]
    assert split_seasons(seasons, 2015, PLAN) == Split(
        train=(2010, 2012), weights=(2013,), calibration=(2014, 2015)
    )
    assert split_seasons(range(1996, 2024), 2023, TrainingPlan()).until == 2023


@pytest.mark.parametrize(
    ("until", "message"), [(2016, "one of the seasons"), (2012, "at least 4 seasons up to 2012")]
)
def test_an_impossible_split_says_why(until: int, message: str) -> None:
    with pytest.raises(DataError, match=message):
        split_seasons([2010, 2011, 2012, 2013, 2014], until, PLAN)


def test_each_part_learns_from_its_seasons(trained: Trained, games: GameTable) -> None:
    bundle = trained.bundle
    assert bundle.split == Split(train=(2010, 2011), weights=(2012,), calibration=(2013, 2014))
    assert trained.games == {"train": 240, "weights": 120, "calibration": 240}
    expected = expected_margins(games)
    assert set(bundle.library.games.season.tolist()) == {2011}
    assert (bundle.library.expected_margins == expected[120:240]).all()
    assert bundle.strength == TeamStrength.fit(games)
    train = games.select(games.season <= 2011)
    assert (Drift.fit(train, expected[:240]).coefficients == bundle.drift.coefficients).all()

    lstm = bundle.load_lstm("cpu")
    for seasons in (games.season == 2012, games.season >= 2013):
        rested, before = games.select(seasons), expected[seasons]
        dejavu_errors = game_errors(bundle.dejavu.increments, rested, before)
        lstm_errors = game_errors(lstm.increments, rested, before)
        if rested.season[0] == 2012:
            assert bundle.ensemble == Ensemble.fit(dejavu_errors, lstm_errors)
        else:
            assert (bundle.errors.date == rested.date).all()
            assert (bundle.errors.dejavu == dejavu_errors).all()
            assert (bundle.errors.lstm == lstm_errors).all()
            persistence = rested.halftime_margin - rested.margins[:, 17]
            assert (bundle.errors.persistence[:, 18] == persistence).all()


def test_the_same_training_writes_the_same_bytes(
    trained: Trained, games: GameTable, tmp_path: Path
) -> None:
    again = train_bundle(games, 2014, plan=PLAN, device="cpu")
    assert again.bundle.model_version == trained.bundle.model_version
    for name, one in (("one", trained), ("two", again)):
        one.bundle.save(tmp_path / name, model_card(one))
    files = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert len(files) == 7
    for name in files:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_later_seasons_change_nothing(trained: Trained) -> None:
    more = make_games(range(2010, 2017))
    assert (more.season > 2014).any()
    assert train_bundle(more, 2014, plan=PLAN, device="cpu").bundle.model_version == (
        trained.bundle.model_version
    )


def turned_over(games: GameTable, rows: np.ndarray) -> GameTable:
    """The same games with other courses and results where `rows` (n,) is true."""
    there = rows[:, None]
    return replace(
        games,
        margins=np.where(there, -games.margins, games.margins).astype(np.int16),
        last_score=np.where(there, -games.last_score, games.last_score).astype(np.int8),
        final_home=np.where(rows, games.final_away, games.final_home).astype(np.int16),
        final_away=np.where(rows, games.final_home, games.final_away).astype(np.int16),
    )


def test_no_part_learns_from_the_seasons_after_its_own(trained: Trained, games: GameTable) -> None:
    one = trained.bundle
    other = train_bundle(
        turned_over(games, games.season >= 2013), 2014, plan=PLAN, device="cpu"
    ).bundle
    assert one.drift.coefficients.tobytes() == other.drift.coefficients.tobytes()
    assert one.drift.possession.tobytes() == other.drift.possession.tobytes()
    for name, tensor in one.network.items():
        assert tensor.tobytes() == other.network[name].tobytes()
    assert one.library.to_table().equals(other.library.to_table())
    assert one.ensemble == other.ensemble
    assert one.strength != other.strength
    assert (one.errors.lstm != other.errors.lstm).any()
    # Of one season the calibration knows what the others taught, not what came after it.
    last_turned = train_bundle(
        turned_over(games, games.season == 2014), 2014, plan=PLAN, device="cpu"
    ).bundle
    first_season = games.season[games.season >= 2013] == 2013
    for name in ("dejavu", "lstm", "persistence"):
        before, after = (
            getattr(bundle.errors, name)[first_season] for bundle in (one, last_turned)
        )
        assert (before == after).all()


def test_a_day_and_the_days_after_it_teach_nothing(games: GameTable) -> None:
    day = games.date[games.season == 2014][50]
    late = games.date >= day
    one, other = (
        train_bundle(table, 2014, plan=PLAN, before=str(day), device="cpu").bundle
        for table in (games, turned_over(games, late))
    )
    assert one.model_version == other.model_version
    assert one.split.before == str(day)
    assert len(one.errors) == 240 - late.sum()
    assert one.errors.date.max() < day
    assert one.strength.day is not None
    assert np.datetime64(one.strength.day) < day
    with pytest.raises(DataError, match="before: expected a day with games on it or after"):
        train_bundle(games, 2014, plan=PLAN, before="2100-01-01", device="cpu")


def test_one_calibration_season_leaves_none_to_test_on(games: GameTable, trained: Trained) -> None:
    plan = replace(PLAN, calibration_seasons=1)
    other = train_bundle(games, 2014, plan=plan, device="cpu")
    assert other.bundle.model_version != trained.bundle.model_version
    assert other.scores == {}
    assert "a single season calibrates" in model_card(other)


def test_scores_are_of_the_last_season_with_intervals_from_before(
    trained: Trained, games: GameTable
) -> None:
    errors, season = trained.bundle.errors, games.season[games.season >= 2013]
    cell = cell_of("halftime", 18)
    assert set(trained.scores) == {"persistence", "dejavu", "lstm", "ensemble"}
    for name, table in (
        ("persistence", errors.persistence),
        ("ensemble", errors.of(trained.bundle.ensemble)),
    ):
        scores = trained.scores[name]
        before = Calibration.fit(table[season == 2013], errors.date[season == 2013])
        lower, upper = (
            before.spreads[cell] * before.shapes[cell].quantile(level) for level in (0.025, 0.975)
        )
        actual = table[season == 2014, cell]
        assert scores.games == 120
        assert scores.mae == pytest.approx(np.abs(actual).mean())
        assert scores.coverage == pytest.approx(((lower <= actual) & (actual <= upper)).mean())
        assert scores.width == pytest.approx(upper - lower)
