"""The accuracy by day: its days add up to `/accuracy`, and its calibration is that of the log."""

import datetime
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.training.bundle import Bundle
from serve_app.model.accuracy import accuracy, accuracy_days
from serve_app.schemas import Skill
from serve_app.storage.database import Database
from serve_app.storage.store import Store
from tests.serve_app.prediction_logs import DAY, Entry, write_log
from tests.serve_app.small_bundles import small

LINEAR = ("mae", "crps", "coverage", "width", "interval_score")
ONE_DAY = datetime.timedelta(days=1)
# 09:59 and 10:00 UTC: the last minute of a game day, and the first of the next.
LAST_MINUTE = datetime.datetime(2024, 11, 6, 9, 59, tzinfo=datetime.UTC)
FIRST_MINUTE = LAST_MINUTE + datetime.timedelta(minutes=1)

ENTRIES = st.lists(
    st.builds(
        Entry,
        day=st.none() | st.integers(0, 3).map(lambda days: DAY + days * ONE_DAY),
        point=st.floats(-40, 40),
        half_width=st.floats(0.5, 30),
        coverage=st.sampled_from([0.5, 0.8, 0.95]),
        margin=st.integers(-30, 30).map(float),
        actual=st.none() | st.integers(-60, 60).map(float),
        late=st.booleans(),
        made_at=st.sampled_from([LAST_MINUTE, FIRST_MINUTE]),
    ),
    max_size=25,
)


@pytest.fixture(scope="module")
def cut(bundle: Bundle) -> Bundle:
    return small(bundle)


@settings(max_examples=25, deadline=None)
@given(entries=ENTRIES)
def test_the_days_add_up_to_the_whole(cut: Bundle, entries: list[Entry]):
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Database.in_folder(Path(folder), durable=False))
        write_log(store, entries)
        whole = accuracy(store, cut, cut.adaptation())
        days = accuracy_days(store, cut).days
        store.close()
    assert sum(day.resolved for day in days) == whole.resolved
    assert [day.day for day in days] == sorted({day.day for day in days})
    if whole.ensemble is None or whole.persistence is None:
        assert days == []
        return
    weights = [day.resolved / whole.resolved for day in days]
    for whole_skill, skills in (
        (whole.ensemble, [day.ensemble for day in days]),
        (whole.persistence, [day.persistence for day in days]),
    ):
        for name in LINEAR:
            assert _mean(weights, [getattr(skill, name) for skill in skills]) == pytest.approx(
                getattr(whole_skill, name)
            ), name
        assert _mean(weights, [skill.rmse**2 for skill in skills]) == pytest.approx(
            whole_skill.rmse**2
        )
    targets = [day.coverage_target for day in days]
    assert _mean(weights, targets) == pytest.approx(whole.coverage_target)


def _mean(weights: list[float], values: list[float]) -> float:
    return sum(weight * value for weight, value in zip(weights, values, strict=True))


def test_a_day_has_the_numbers_that_it_has_alone(any_store: Store, tmp_path: Path, cut: Bundle):
    store = Store.at(tmp_path / "alone")
    night = [Entry(point=4.0, actual=9.0), Entry(point=-3.5, margin=-8.0, actual=-40.0)]
    write_log(store, night)
    alone = accuracy(store, cut, cut.adaptation())
    store.close()
    write_log(any_store, [*night, Entry(day=DAY + ONE_DAY), Entry(late=True), Entry(actual=None)])
    day, next_day = accuracy_days(any_store, cut).days
    assert (day.day, day.resolved) == (DAY, 2)
    assert (day.ensemble, day.persistence) == (alone.ensemble, alone.persistence)
    assert isinstance(day.ensemble, Skill)
    assert day.ensemble.coverage == 0.5
    assert (next_day.day, next_day.resolved) == (DAY + ONE_DAY, 1)


def test_a_game_without_a_day_counts_for_that_of_its_prediction(any_store: Store, cut: Bundle):
    undated = Entry(day=None, made_at=LAST_MINUTE)
    write_log(any_store, [undated, replace(undated, made_at=FIRST_MINUTE), Entry(), Entry()])
    found = accuracy_days(any_store, cut)
    assert [(one.day, one.resolved) for one in found.days] == [(DAY, 3), (DAY + ONE_DAY, 1)]
    newest = accuracy_days(any_store, cut, limit=1)
    assert [(one.day, one.resolved) for one in newest.days] == [(DAY + ONE_DAY, 1)]
    until = accuracy_days(any_store, cut, until=DAY)
    assert [(one.day, one.resolved) for one in until.days] == [(DAY, 3)]


def test_the_newest_days_of_a_span_are_told_oldest_first(any_store: Store, cut: Bundle):
    write_log(any_store, [Entry(day=DAY + number % 5 * ONE_DAY) for number in range(10)])

    def told(**asked: datetime.date | int) -> list[int]:
        found = accuracy_days(any_store, cut, **asked)  # type: ignore[arg-type]
        return [(one.day - DAY).days for one in found.days]

    assert told() == [0, 1, 2, 3, 4]
    assert told(limit=2) == [3, 4]
    assert told(since=DAY + ONE_DAY, until=DAY + 3 * ONE_DAY) == [1, 2, 3]
    assert told(until=DAY + 3 * ONE_DAY, limit=2) == [2, 3]
    assert told(since=DAY + 9 * ONE_DAY) == []
    assert told(since=DAY + ONE_DAY, until=DAY) == []


def test_the_calibration_counts_outcomes_at_or_below_each_quantile(any_store: Store, cut: Bundle):
    levels = {"0.05": -7.5, "0.50": 5.0, "0.95": 14.25}
    log = [Entry(quantiles=levels, actual=actual) for actual in (-8.0, 4.0, 5.0, 6.0)]
    late = Entry(quantiles=levels, actual=-30.0, late=True)
    open_still = Entry(quantiles=levels, actual=None)
    older = Entry(actual=-30.0)  # of a version that stored no quantiles
    only_median = Entry(day=DAY + ONE_DAY, quantiles={"0.5": 0.0}, actual=20.0)
    write_log(any_store, [*log, late, open_still, older, only_median])
    told = [
        (one.level, one.observed, one.predictions)
        for one in accuracy_days(any_store, cut).calibration
    ]
    # Below 5 lie -8 and 4, and half of the outcome that is 5 itself.
    assert told == [(0.05, 0.25, 4), (0.5, 2.5 / 5, 5), (0.95, 1.0, 4)]
    of_the_first = accuracy_days(any_store, cut, until=DAY).calibration
    assert [(one.level, one.observed) for one in of_the_first] == [
        (0.05, 0.25),
        (0.5, 0.625),
        (0.95, 1),
    ]


def test_nothing_resolved_has_neither_days_nor_calibration(store: Store, cut: Bundle):
    write_log(store, [Entry(actual=None, quantiles={"0.50": 4.0})])
    found = accuracy_days(store, cut)
    assert (found.days, found.calibration) == ([], [])
