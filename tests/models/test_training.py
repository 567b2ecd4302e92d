from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models.bundle import Split
from models.errors import DataError
from models.games import GameTable
from models.model_card import model_card
from models.strength import TeamStrength, expected_margins
from models.training import Trained, TrainingPlan, dejavu_margins, split_seasons, train_bundle

from .conftest import PLAN, make_games


def test_seasons_are_split_in_order_of_time() -> None:
    seasons = [2014, 2010, 2012, 2013, 2015, 2017]
    assert split_seasons(seasons, 2015, TrainingPlan()) == Split(
        train=(2010,), weights=(2012, 2013), calibration=(2014, 2015)
    )


@pytest.mark.parametrize(("until", "message"), [(2016, "one of the seasons"), (2013, "at least 5")])
def test_an_impossible_split_says_why(until: int, message: str) -> None:
    with pytest.raises(DataError, match=message):
        split_seasons([2010, 2011, 2012, 2013, 2014], until, TrainingPlan())


def test_each_part_learns_from_its_seasons(trained: Trained, games: GameTable) -> None:
    bundle = trained.bundle
    assert bundle.split == Split(train=(2010, 2011), weights=(2012,), calibration=(2013, 2014))
    assert trained.games == {"train": 240, "weights": 120, "calibration": 240}
    assert set(bundle.library.games.season.tolist()) == {2010, 2011}
    assert len(bundle.conformal.scores) == 240
    expected = expected_margins(games)
    assert (bundle.library.expected_margins == expected[:240]).all()
    assert bundle.strength == TeamStrength.fit(games)

    patterns = games.margins[360:, :18].astype(float)
    point = bundle.ensemble.combine(
        dejavu_margins(bundle.dejavu, patterns, expected[360:]),
        bundle.load_lstm("cpu").forecast(patterns, expected[360:]),
    )
    actual = games.halftime_margin[360:]
    assert bundle.conformal.scores == pytest.approx(np.sort(np.abs(actual - point)))
    assert (bundle.persistence.scores == np.sort(np.abs(actual - patterns[:, -1]))).all()


def test_the_same_training_writes_the_same_bytes(
    trained: Trained, games: GameTable, tmp_path: Path
) -> None:
    again = train_bundle(games, 2014, plan=PLAN, device="cpu")
    for name, one in (("one", trained), ("two", again)):
        one.bundle.save(tmp_path / name, model_card(one))
    files = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert len(files) == 6
    for name in files:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_later_seasons_change_nothing(trained: Trained) -> None:
    more = make_games(range(2010, 2017))
    assert train_bundle(more, 2014, plan=PLAN, device="cpu").bundle.model_version == (
        trained.bundle.model_version
    )


def test_a_held_out_date_teaches_nothing(games: GameTable) -> None:
    day = games.date[3]
    held_out = games.date == day
    changed = replace(
        games,
        margins=np.where(held_out[:, None], 99, games.margins).astype(np.int16),
        final_margin=np.where(held_out, 99, games.final_margin).astype(np.int16),
    )
    one, other = (
        train_bundle(table, 2014, plan=PLAN, hold_out=str(day), device="cpu").bundle
        for table in (games, changed)
    )
    assert one.model_version == other.model_version
    assert len(one.library.games) == 237


def test_other_content_has_another_version(trained: Trained, games: GameTable) -> None:
    other = train_bundle(games, 2014, plan=replace(PLAN, calibration_seasons=1), device="cpu")
    assert other.bundle.model_version != trained.bundle.model_version
    assert other.scores == {}


def test_scores_are_of_the_last_season_with_intervals_from_before(
    trained: Trained, games: GameTable
) -> None:
    scores = trained.scores["persistence"]
    last = games.margins[games.season == 2014].astype(float)
    errors = np.abs(last[:, 23] - last[:, 17])
    before = games.margins[games.season == 2013].astype(float)
    half_width = np.sort(np.abs(before[:, 23] - before[:, 17]))[114]  # ceil(0.95 * 121) = 115th
    assert set(trained.scores) == {"persistence", "dejavu", "lstm", "ensemble"}
    assert scores.games == 120
    assert scores.mae == pytest.approx(errors.mean())
    assert scores.coverage == pytest.approx((errors <= half_width).mean())


def test_the_card_tells_splits_metrics_and_sources(trained: Trained) -> None:
    card = model_card(trained)
    assert "| conformal calibration | 2013-2014 | 240 |" in card
    assert f"| ensemble | {trained.scores['ensemble'].mae:.3f} |" in card
    assert "No date was held out." in card
    for source in ("ryanvmenezes/lawlers-law", "gabriel1200/playbyplay", "MIT"):
        assert source in card
