"""The model card: what a bundle is made of, how good it is, and what it is not for."""

from collections.abc import Sequence

from models.calibration.learned_game import LearnedGame
from models.game.horizon import cell_of
from models.game.pattern import PATTERN_MINUTES
from models.metrics import Scores
from models.training.bundle import Bundle
from models.training.comparison import Comparison
from models.training.training import Trained

_CARD = """\
# Model card: {version}

Forecasts the margin of an NBA game (home − away, points) at halftime and at the end, overtime
included, with the home side's win probability, from any clock of the game. Every forecast is a
predictive distribution. The one that is frozen is made at 6:00 of the second quarter.

## Parts
- **Team strength**: a dynamic linear model of final margins over {teams} franchises, from scores
  alone: strengths, home advantages, back-to-backs, crowded schedules, playoffs, and how sure it is
  of them. It stands as after {day}; the service moves it on with every finished game.
- **Drift**: per minute and horizon a ridge regression of what is still to come on the margin and
  the expected margin, plus what the last score is worth (who scored, how long ago).
- **Dejavu**: the {neighbours} most similar of {library:,} past games by exact search (FAISS, L2)
  over the path seen from the present, the present margin and the expected margin. It adds the
  shrunk, kernel-weighted mean of what those games gained beyond their drift.
- **LSTM**: one network, {hidden} hidden units, that learned departures from the drift from every
  minute of every game.
- **Ensemble**: {dejavu_weight:.4f} · Dejavu + {lstm_weight:.4f} · LSTM.
- **Calibration**: rolling split-conformal scores of {scores:,} games per horizon and minute,
  normalised by a decayed spread (half-lives {spread_half_life:g} and {shape_half_life:g} games;
  worth {effective:,.0f} equally weighted games). At 6:00 of the second quarter the halftime margin
  is within {lower_95:+.1f} and {upper_95:+.1f} points of the forecast at 95 %, {lower_80:+.1f} and
  {upper_80:+.1f} at 80 %. Beyond the 0.5 % and 99.5 % quantiles the distribution follows a fitted
  tail and carries no guarantee. The service adds the games that it resolves.

## Data and splits
Split by season (2018 is 2018-19), in order of time, never shuffled.

| part | seasons | games |
|---|---|---|
| drift and LSTM; Dejavu searches the newest {library_seasons} | {train} | {train_games:,} |
| ensemble weights | {weights} | {weights_games:,} |
| calibration | {calibration} | {calibration_games:,} |

The ratings learn from all of these games; in training every game's expected margin comes from games
of earlier dates only. {before}

Sources: final scores and score events compiled from the MIT-licensed repositories
`ryanvmenezes/lawlers-law` (1996-97 to 2018-19, regular seasons) and `gabriel1200/playbyplay`
(2020-21 to 2023-24, with playoffs). 2019-20 is missing. The bundle holds derived margins per
minute.

## Measured on a season not seen
{metrics}
`scripts/backtest.py --rolling-origin` measures the same pipeline over many seasons and all minutes,
each forecast by models of earlier seasons only, beside its baselines.

## Intended use
Live forecasts of NBA halftime and final margins, for information and analysis.

## Limits
- Scores alone: no line-ups, injuries, fouls or betting prices. Most of what happens in six minutes
  is chance; the gain over "the margin stays" is about two percent of the mean error.
- A caller who knows a better expected margin (minus the home side's spread) should give it. Unknown
  or missing teams get the home advantage alone.
- Coverage holds on average over games like the newest ones, not for every kind of game, and not for
  other leagues or rules.
"""


def model_card(trained: Trained) -> str:
    """The card in Markdown; the same training gives the same text."""
    bundle = trained.bundle
    split = bundle.split
    left_out = (
        f"Games of {split.before} and later were left out of everything."
        if split.before
        else "No later game was left out."
    )
    cell = cell_of("halftime", PATTERN_MINUTES)
    spread, shape = bundle.calibration.spreads[cell], bundle.calibration.shapes[cell]
    return _CARD.format(
        version=bundle.model_version,
        teams=len(bundle.strength.ratings),
        day=bundle.strength.day,
        neighbours=bundle.dejavu_settings.neighbours,
        library=len(bundle.library.games),
        library_seasons=len(bundle.library.games.seasons()),
        hidden=bundle.lstm_settings["hidden"],
        dejavu_weight=bundle.ensemble.dejavu_weight,
        lstm_weight=bundle.ensemble.lstm_weight,
        scores=len(bundle.calibration.scores),
        spread_half_life=bundle.calibration_settings.spread_half_life,
        shape_half_life=bundle.calibration_settings.shape_half_life,
        effective=bundle.calibration.effective_games,
        lower_95=spread * shape.quantile(0.025),
        upper_95=spread * shape.quantile(0.975),
        lower_80=spread * shape.quantile(0.1),
        upper_80=spread * shape.quantile(0.9),
        train=_seasons(split.train),
        weights=_seasons(split.weights),
        calibration=_seasons(split.calibration),
        train_games=trained.games["train"],
        weights_games=trained.games["weights"],
        calibration_games=trained.games["calibration"],
        before=left_out,
        metrics=_metrics(trained),
    )


_UPDATED = """\
# Model card: {version}

{base} with {games} finished games of a service's own log, to {day}: in the library that Dejavu
searches, in the ratings and in the calibration. Drift, LSTM and ensemble weights are those of
{base}; its model card tells how they were trained, what the forecasts are for and their limits.

## Compared with the bundle that was in service
On the newest {tested} of these games, which the candidate of this table had not seen. Candidate
minus the bundle in service, points; below 0 the candidate is better.

| forecast | candidate's MAE | difference (SE) | 90 % interval score, difference (SE) |
|---|---|---|---|
{rows}

Verdict at 6:00 of the second quarter: {verdict}.
"""


def updated_card(
    updated: Bundle, base: Bundle, games: Sequence[LearnedGame], compared: Comparison
) -> str:
    """The card of a bundle that was updated with `games`, in order of date."""
    rows = (
        f"| {row.horizon} from minute {row.minute} | {row.candidate_mae:.3f} "
        f"| {row.difference.mean:+.4f} ({row.difference.standard_error:.4f}) "
        f"| {row.interval_difference.mean:+.4f} ({row.interval_difference.standard_error:.4f}) |"
        for row in compared.rows
    )
    return _UPDATED.format(
        version=updated.model_version,
        base=base.model_version,
        games=len(games),
        day=games[-1].date,
        tested=compared.games,
        rows="\n".join(rows),
        verdict=compared.verdict,
    )


def _metrics(trained: Trained) -> str:
    if not trained.scores:
        return "Nothing: a single season calibrates, and none is left to test on.\n"
    split = trained.bundle.split
    lines = [
        f"Season {_season(split.until)}, {trained.scores['ensemble'].games:,} games, unseen by the "
        "models and the weights;",
        "for this table alone the 95 % intervals were calibrated on "
        f"{_seasons(split.calibration[:-1])}. Points.",
        "",
        "| forecast | MAE | RMSE | CRPS | coverage | width | interval score |",
        "|---|---|---|---|---|---|---|",
        *(_row(name, scores) for name, scores in trained.scores.items()),
    ]
    return "\n".join(lines) + "\n"


def _row(name: str, scores: Scores) -> str:
    return (
        f"| {name} | {scores.mae:.3f} | {scores.rmse:.3f} | {scores.crps:.3f} "
        f"| {100 * scores.coverage:.1f} % | {scores.width:.1f} | {scores.interval_score:.2f} |"
    )


def _season(start: int) -> str:
    return f"{start}-{(start + 1) % 100:02d}"


def _seasons(starts: Sequence[int]) -> str:
    """Runs of seasons, as `1996-2018, 2020`."""
    runs: list[list[int]] = []
    for start in starts:
        if runs and start == runs[-1][-1] + 1:
            runs[-1].append(start)
        else:
            runs.append([start])
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)
