"""The model card: what a bundle is made of, how good it is, and what it is not for."""

from collections.abc import Sequence

from models.metrics import Scores
from models.training import Trained

_CARD = """\
# Model card: {version}

Forecasts the margin of an NBA game at halftime (home − away, points) from the margins at the end
of its first 18 minutes, with an interval. Made at 6:00 of the second quarter.

## Parts
- **Team strength**: margin-of-victory ratings of {teams} franchises, from final scores alone. They
  stand as at the start of the season after {until}; a game's expected margin is the difference of
  the two ratings plus a home advantage of {home_advantage:.2f} points.
- **Dejavu**: the {neighbours} most similar of {library:,} past games by exact search (FAISS, L2),
  over the path seen from the present, the present margin and the expected margin. The forecast is
  the present margin plus the kernel-weighted mean of what those games added up to halftime.
- **LSTM**: one network, {hidden} hidden units, that learned from every minute of every first half.
- **Ensemble**: {dejavu_weight:.4f} · Dejavu + {lstm_weight:.4f} · LSTM.
- **Interval**: split conformal, {scores:,} scores; symmetric, the same width for every pattern
  (± {half_width_95:.1f} points at 95 %, ± {half_width_80:.1f} at 80 %). Below alpha =
  {smallest_alpha:.2g} the width follows a fitted tail and carries no guarantee.

## Data and splits
Split by season (2018 is 2018-19), in order of time, never shuffled.

| part | seasons | games |
|---|---|---|
| Dejavu's library and LSTM | {train} | {train_games:,} |
| ensemble weights | {weights} | {weights_games:,} |
| conformal calibration | {calibration} | {calibration_games:,} |

The ratings learn from all of these games; in training every game's expected margin comes from games
of earlier dates only. {hold_out}

Sources: final scores and score events compiled from the MIT-licensed repositories
`ryanvmenezes/lawlers-law` (1996-97 to 2018-19, regular seasons) and `gabriel1200/playbyplay`
(2020-21 to 2023-24, with playoffs). 2019-20 is missing.

## Measured on a season not seen
{metrics}
`scripts/evaluate.py rolling-origin` measures the same pipeline over several seasons, each forecast
by models of earlier seasons only, beside a ridge regression.

## Intended use
Live forecasts of NBA halftime margins at 6:00 of the second quarter, for information and analysis.

## Limits
- Scores alone: no line-ups, injuries, rest, fouls or betting prices. Most of what happens in six
  minutes is chance; the gain over "the margin stays" is one to two percent of the mean error.
- The ratings are frozen. During a season they age; a caller who knows an expected margin (minus the
  home side's spread) should give it. Unknown or missing teams get the home advantage alone.
- Coverage holds on average over games like those of the calibration seasons, not for every kind of
  game, and not for other leagues or rules. The spread of margins has grown over the years.
"""


def model_card(trained: Trained) -> str:
    """The card in Markdown; the same training gives the same text."""
    bundle = trained.bundle
    split = bundle.split
    held_out = (
        f"All games of {split.hold_out} were left out of everything."
        if split.hold_out
        else "No date was held out."
    )
    return _CARD.format(
        version=bundle.model_version,
        teams=len(bundle.strength.ratings),
        until=_season(split.until),
        home_advantage=bundle.strength.home_advantage,
        neighbours=bundle.dejavu_settings.neighbours,
        library=len(bundle.library.games),
        hidden=bundle.lstm_settings["hidden"],
        dejavu_weight=bundle.ensemble.dejavu_weight,
        lstm_weight=bundle.ensemble.lstm_weight,
        scores=len(bundle.conformal.scores),
        half_width_95=bundle.conformal.half_width(0.05),
        half_width_80=bundle.conformal.half_width(0.2),
        smallest_alpha=bundle.conformal.smallest_alpha,
        train=_seasons(split.train),
        weights=_seasons(split.weights),
        calibration=_seasons(split.calibration),
        train_games=trained.games["train"],
        weights_games=trained.games["weights"],
        calibration_games=trained.games["calibration"],
        hold_out=held_out,
        metrics=_metrics(trained),
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
