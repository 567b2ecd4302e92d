"""The page of a night: its figures, its games, the season so far, and how the feed did."""

from collections.abc import Iterator

from models.report.page import Section, Table, figures_html, page, table_html
from serve_app.night_report.night import Night, NightGame
from serve_app.night_report.plots import (
    calibration_figure,
    course_figure,
    days_figure,
    predicted_figure,
)
from serve_app.night_report.words import NOTHING, interval, percent, seconds, signed
from serve_app.schemas import Skill

OUTSIDE = "outside"

_LEAD = (
    "What was predicted at 6:00 of the second quarter for the margin at halftime (home − away, "
    "points), what it was, and what persistence would have said: that the margin stays."
)

_METHOD = """\
<p>A prediction is frozen when the clock crosses 6:00 of the second quarter and never changed; late
or corrected scores add revisions beside it, which count nowhere here. One that an outage delayed
past halftime does not count either. Errors are actual − predicted.</p>
<p>Persistence is the margin at 6:00 with the interval that its own past errors ask for. Interval
score: width plus 2/α times what a miss misses by. CRPS and interval score as in Gneiting &amp;
Raftery (2007); lower is better. All figures are those of <code>/accuracy/days</code>.</p>
<p>In a game's plot the line is the margin as it was seen, the dashed line leads to the prediction
(blue dot, with its interval as a bar), the bands are those of 50, 80 and 90 %, and the grey square
is persistence; what happened is the orange diamond. At halftime the bands are the predicted ones;
before, they are drawn as opening with the root of the time.</p>
<p>Calibration: the share of outcomes below the predicted quantile of each level, which should be
the level. An outcome equal to the quantile counts half.</p>"""


def night_page(night: Night) -> str:
    """The page as HTML, with nothing from elsewhere; the same night gives the same page."""
    return page(
        f"The night of {night.day.day} {night.day:%B %Y}",
        _LEAD,
        list(_sections(night)),
        facts=_facts(night),
        notices=list(_notices(night)),
    )


def _sections(night: Night) -> Iterator[Section]:
    told = table_html(_skill_table(night))
    if night.counted:
        told += "\n" + figures_html([predicted_figure(night)])
    yield Section("figures", "The night", told)
    yield Section("games", "Games", table_html(_game_table(night), marked=(OUTSIDE,)))
    courses = [
        course_figure(game, place)
        for place, game in enumerate(night.games, start=1)
        if game.updates
    ]
    if courses:
        yield Section("courses", "Course of the games", figures_html(courses))
    season = night.season
    if season.days:
        plots = [days_figure(season.days)]
        if season.calibration:
            plots.append(calibration_figure(season.calibration))
        told = figures_html(plots) + "\n" + table_html(_calibration_table(night))
        yield Section("season", "The season up to this day", told)
    yield Section("feed", "The feed", table_html(_feed_table(night)))
    yield Section("method", "How to read this", _METHOD)


def _facts(night: Night) -> dict[str, str]:
    made = [game.prediction for game in night.games if game.prediction is not None]
    return {
        "games": str(len(night.games)),
        "predicted": str(len(made)),
        "resolved": str(len(night.counted)),
        "model": ", ".join(sorted({one.model_version for one in made})) or NOTHING,
        "calibration": ", ".join(sorted({one.calibration_version or NOTHING for one in made}))
        or NOTHING,
        "read from": night.source,
    }


def _notices(night: Night) -> Iterator[str]:
    """What is to be known before any number of the page is believed."""
    difference = night.difference
    if difference is not None:
        yield (
            f"{len(night.counted)} games are little evidence. The error differs from persistence's "
            f"by {signed(difference.mean, 2)} points a game, with a standard error of "
            f"{difference.standard_error:.2f}: "
            + (
                "that is within what chance does."
                if abs(difference.mean) <= 2.0 * difference.standard_error
                else "more than two of them, as happens by chance in one night of twenty."
            )
        )
    elif night.counted:
        yield "One game is no evidence of how good the forecasts are."
    else:
        yield "No prediction that counts has an outcome: there is nothing to measure."
    silent = [game.name for game in night.games if game.prediction is None]
    if silent:
        yield f"Without a prediction: {', '.join(silent)}."
    late = [
        game.name for game in night.games if game.prediction and game.prediction.made_after_halftime
    ]
    if late:
        yield f"Predicted after halftime, which does not count: {', '.join(late)}."


def _skill_table(night: Night) -> Table:
    found = night.accuracy
    rows: tuple[tuple[str, ...], ...] = ()
    if found is not None:
        rows = (
            ("ensemble", *_skill_cells(found.ensemble, found.resolved)),
            ("persistence", *_skill_cells(found.persistence, found.resolved)),
        )
    promised = "" if found is None else f"; intervals promise {percent(found.coverage_target)}"
    games = 0 if found is None else found.resolved
    return Table(
        "skill",
        f"{games} games, points{promised}",
        ("", "MAE", "RMSE", "CRPS", "inside the interval", "width", "interval score"),
        rows,
    )


def _skill_cells(skill: Skill, games: int) -> tuple[str, ...]:
    return (
        f"{skill.mae:.3f}",
        f"{skill.rmse:.3f}",
        f"{skill.crps:.3f}",
        f"{round(skill.coverage * games)} of {games}",
        f"{skill.width:.2f}",
        f"{skill.interval_score:.2f}",
    )


def _game_table(night: Night) -> Table:
    return Table(
        "predictions",
        "Margins, home − away, and errors, actual − predicted, in points",
        (
            "game",
            "at 6:00",
            "predicted",
            "interval",
            "promise",
            "halftime",
            "interval held",
            "error",
            "persistence's error",
        ),
        tuple(_game_row(game) for game in night.games),
    )


def _game_row(game: NightGame) -> tuple[str, ...]:
    made = game.prediction
    if made is None:
        return (game.name, *(NOTHING for _ in range(8)))
    predicted = (
        game.name,
        signed(made.pattern[-1], 0),
        signed(made.point_forecast),
        interval(made),
        percent(made.coverage_probability),
    )
    outcome = made.outcome
    if outcome is None:
        return (*predicted, *(NOTHING for _ in range(4)))
    return (
        *predicted,
        signed(outcome.halftime_margin, 0),
        "yes" if outcome.covered else OUTSIDE,
        signed(outcome.error),
        signed(outcome.persistence_error),
    )


def _calibration_table(night: Night) -> Table:
    return Table(
        "levels",
        "Share of outcomes below each predicted quantile",
        ("level", "observed", "predictions"),
        tuple(
            (percent(one.level), f"{100 * one.observed:.1f} %", f"{one.predictions:,}")
            for one in night.season.calibration
        ),
    )


def _feed_table(night: Night) -> Table:
    return Table(
        "updates",
        "What came in of each game, and what it did to the prediction",
        (
            "game",
            "state",
            "updates",
            "corrections",
            "minutes unseen before 6:00",
            "carried forward",
            "revisions",
            "lag, median",
            "lag, longest",
        ),
        tuple(_feed_row(game) for game in night.games),
    )


def _feed_row(game: NightGame) -> tuple[str, ...]:
    made, lag = game.prediction, game.lag
    reasons = [one.reason.replace("_", " ") for one in made.revisions] if made else []
    return (
        game.name,
        game.state,
        f"{game.updates:,}",
        str(game.corrections),
        ", ".join(map(str, game.missing_minutes)) or "none",
        NOTHING if made is None else str(made.minutes_carried_forward),
        f"{len(reasons)}: {', '.join(reasons)}" if reasons else "none",
        NOTHING if lag is None else seconds(lag.median),
        NOTHING if lag is None else seconds(lag.longest),
    )
