"""Whether the service's log agrees with what the score events say."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from models.metrics import Scores, mae, score
from serve_app.game.score_buffer import MAX_CARRIED_FORWARD
from serve_app.replay.tally import Tally
from serve_app.replay.truth import GameTruth
from serve_app.schemas import Prediction

Logged = Mapping[str, Sequence[Prediction]]


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictionCounts:
    """How many predictions each game got, by the log; expected is exactly one.

    `insufficient` names the minutes without any update in games that could not be predicted
    because updates were dropped. `answers_disagree` are games where the answers to the updates
    showed another prediction than the log.
    """

    games: int
    once: int
    missing: list[str]
    doubled: list[str]
    insufficient: dict[str, list[int]]
    answers_disagree: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class PatternAgreement:
    """Patterns against those computed from the events themselves.

    The frozen pattern is the prediction's; the current one its last revision's, where it has any.
    `stale_by_drop` are games whose current pattern differs because an update was never sent,
    `unexplained` those that differ for no such reason.
    """

    frozen_equal: int
    current_equal: int
    revised: int
    stale_by_drop: list[str]
    unexplained: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastQuality:
    """The logged forecasts against the halftime margins of the events; points.

    `outcomes_equal` counts the logged outcomes that agree with the events; `outcomes_wrong` are
    those that differ though the updates sent show the right margin.
    """

    resolved: int
    outcomes_equal: int
    outcomes_wrong: list[str]
    outcomes_stale_by_drop: list[str]
    forecast: Scores | None
    persistence_mae: float | None


def count_predictions(
    truths: Sequence[GameTruth], logged: Logged, tally: Tally
) -> PredictionCounts:
    """How many predictions each game got."""
    counts = {truth.game_id: len(logged.get(truth.game_id, ())) for truth in truths}
    insufficient = {
        truth.game_id: tally.insufficient[truth.game_id]
        for truth in truths
        if counts[truth.game_id] == 0
        and truth.game_id in tally.insufficient
        and truth.noise.get("dropped")
        and len(truth.sighting.missing_minutes) > MAX_CARRIED_FORWARD
    }
    return PredictionCounts(
        games=len(truths),
        once=sum(count == 1 for count in counts.values()),
        missing=[game for game, count in counts.items() if not count and game not in insufficient],
        doubled=[game for game, count in counts.items() if count > 1],
        insufficient=insufficient,
        answers_disagree=[game for game in counts if _disagree(game, logged, tally)],
    )


def _disagree(game_id: str, logged: Logged, tally: Tally) -> bool:
    answered = tally.predictions.get(game_id, set())
    return not answered <= {
        (prediction.made_at, prediction.point_forecast) for prediction in logged.get(game_id, ())
    }


def current_pattern(prediction: Prediction) -> list[float]:
    """The pattern of the last revision, or the frozen one where there is none."""
    return prediction.revisions[-1].pattern if prediction.revisions else prediction.pattern


def compare_patterns(truths: Sequence[GameTruth], logged: Logged) -> PatternAgreement:
    """The patterns of the games that were predicted, against the events."""
    frozen = current = revised = 0
    stale: list[str] = []
    unexplained: list[str] = []
    for truth in truths:
        for prediction in logged.get(truth.game_id, ())[:1]:
            is_frozen_right = prediction.pattern == truth.pattern
            is_current_right = current_pattern(prediction) == truth.pattern
            frozen += is_frozen_right
            current += is_current_right
            revised += bool(prediction.revisions)
            if truth.is_clean and not is_frozen_right:
                unexplained.append(truth.game_id)
            elif not is_current_right:
                by_drop = current_pattern(prediction) == truth.sighting.pattern
                (stale if by_drop else unexplained).append(truth.game_id)
    return PatternAgreement(
        frozen_equal=frozen,
        current_equal=current,
        revised=revised,
        stale_by_drop=stale,
        unexplained=unexplained,
    )


def judge_forecasts(truths: Sequence[GameTruth], logged: Logged) -> ForecastQuality:
    """MAE, coverage and the rest over the resolved games, from the log and the events."""
    resolved: list[tuple[GameTruth, Prediction]] = []
    equal = 0
    wrong: list[str] = []
    stale: list[str] = []
    for truth in truths:
        for prediction in logged.get(truth.game_id, ())[:1]:
            if prediction.outcome is None:
                continue
            resolved.append((truth, prediction))
            margin = prediction.outcome.halftime_margin
            if margin == truth.halftime_margin:
                equal += 1
            elif margin == truth.sighting.halftime_margin:
                stale.append(truth.game_id)
            else:
                wrong.append(truth.game_id)
    actual = [truth.halftime_margin for truth, _ in resolved]
    return ForecastQuality(
        resolved=len(resolved),
        outcomes_equal=equal,
        outcomes_wrong=wrong,
        outcomes_stale_by_drop=stale,
        forecast=score_predictions([prediction for _, prediction in resolved], actual),
        persistence_mae=mae([truth.pattern[-1] for truth, _ in resolved], actual)
        if resolved
        else None,
    )


def score_predictions(predictions: Sequence[Prediction], actual: Sequence[float]) -> Scores | None:
    """The frozen forecasts against the halftime margins; None without any."""
    if not predictions:
        return None
    return score(
        [prediction.point_forecast for prediction in predictions],
        [prediction.interval_lower for prediction in predictions],
        [prediction.interval_upper for prediction in predictions],
        actual,
        [alpha_of(prediction) for prediction in predictions],
    )


def alpha_of(prediction: Prediction) -> float:
    """The miscoverage level of a prediction's interval, free of the rounding of 1 − coverage."""
    return round(1.0 - prediction.coverage_probability, 12)
