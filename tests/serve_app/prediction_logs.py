"""Prediction logs made by hand, written into a store as they are."""

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from serve_app.schemas import GameRegistration, Outcome, Prediction
from serve_app.storage.store import Store

DAY = datetime.date(2024, 11, 5)


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A frozen prediction of a game with the margin `margin` at 6:00; points, and when."""

    day: datetime.date | None = DAY
    point: float = 4.0
    half_width: float = 12.0
    coverage: float = 0.95
    margin: float = 3.0
    actual: float | None = 5.0
    quantiles: Mapping[str, float] = field(default_factory=dict)
    late: bool = False
    made_at: datetime.datetime = datetime.datetime(2024, 11, 6, 2, tzinfo=datetime.UTC)

    def prediction(self, game_id: str) -> Prediction:
        return Prediction(
            game_id=game_id,
            point_forecast=self.point,
            interval_lower=self.point - self.half_width,
            interval_upper=self.point + self.half_width,
            coverage_probability=self.coverage,
            quantiles=dict(self.quantiles),
            model_version="test-1",
            calibration_version="test-1+0",
            expected_margin=2.0,
            strength="ratings",
            pattern=[self.margin] * 18,
            made_at=self.made_at,
            quarter=2,
            time_remaining="6:00",
            minutes_carried_forward=0,
            made_after_halftime=self.late,
        )

    def outcome(self) -> Outcome | None:
        if self.actual is None:
            return None
        return Outcome(
            halftime_margin=self.actual,
            error=self.actual - self.point,
            persistence_error=self.actual - self.margin,
            covered=abs(self.actual - self.point) <= self.half_width,
            resolved_at=self.made_at,
        )


def write_log(store: Store, entries: Sequence[Entry]) -> list[str]:
    """Write the entries as games `game0`, `game1` and so on; returns their ids."""
    game_ids = [f"game{place}" for place in range(len(entries))]
    with store.writing():
        for game_id, entry in zip(game_ids, entries, strict=True):
            game = GameRegistration(game_id=game_id, home_team="BOS", away_team="LAL")
            store.games.add(game, entry.day)
            store.predictions.freeze(entry.prediction(game_id))
            if (outcome := entry.outcome()) is not None:
                store.predictions.set_outcome(game_id, outcome)
    return game_ids
