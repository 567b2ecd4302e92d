"""The table that closes a night: what was forecast for each game and what happened."""

from collections.abc import Sequence

from rich.table import Table

from serve_app.replay.live_view import LiveGame

COLUMNS = ("game", "at 6:00", "forecast", "interval", "halftime", "error", "persistence")
OUTSIDE = " *"


def closing_table(games: Sequence[LiveGame], title: str) -> Table:
    """One row per game, then the mean absolute errors; margins and errors in points.

    A halftime margin outside its interval is marked; what a game has not got stays empty.
    """
    table = Table(title=title, title_justify="left", caption_justify="left")
    for column in COLUMNS:
        table.add_column(column, justify="left" if column == "game" else "right", no_wrap=True)
    errors = []
    for game in games:
        table.add_row(*_cells(game))
        if game.prediction is not None and game.outcome is not None:
            errors.append((abs(game.outcome.error), abs(game.outcome.persistence_error)))
    if errors:
        table.add_section()
        means = (f"{sum(column) / len(errors):.2f}" for column in zip(*errors, strict=True))
        table.add_row("mean absolute error", "", "", "", "", *means)
    table.caption = f"margins: home − away, points;{OUTSIDE} outside its interval"
    return table


def _cells(game: LiveGame) -> list[str]:
    _, home, away = game.score
    cells = [f"{game.home} – {game.away}", f"{home}–{away}"]
    if game.prediction is None:
        return cells
    low, high = game.prediction.interval_lower, game.prediction.interval_upper
    cells += [f"{game.prediction.point_forecast:+.1f}", f"{low:+.1f} to {high:+.1f}"]
    if game.outcome is None:
        return cells
    mark = "" if game.outcome.covered else OUTSIDE
    return [
        *cells,
        f"{game.outcome.halftime_margin:+.0f}{mark}",
        f"{game.outcome.error:+.1f}",
        f"{game.outcome.persistence_error:+.1f}",
    ]
