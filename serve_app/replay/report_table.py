"""The report of a replay for people, as a rich table."""

from rich.console import Console
from rich.table import Table

from serve_app.replay.report import Report


def print_report(console: Console, report: Report) -> None:
    """Print the report; readable also where the output is no terminal."""
    table = Table("what", "value", title=f"Replay of {report.selection}", title_justify="left")
    for what, value in _rows(report):
        table.add_row(what, value)
    console.print(table)
    for problem in report.traffic.problems:
        console.print(f"refused: {problem}", markup=False)
    for failure in report.failures():
        console.print(f"FAILED: {failure}", style="bold red", markup=False)


def _rows(report: Report) -> list[tuple[str, str]]:
    predictions, patterns, quality = report.predictions, report.patterns, report.quality
    traffic, games = report.traffic, report.predictions.games
    rows = [
        ("games", f"{games:,}"),
        ("predicted exactly once", f"{predictions.once:,}"),
        ("missing / doubled", f"{len(predictions.missing)} / {len(predictions.doubled)}"),
        ("insufficient by dropped updates", f"{len(predictions.insufficient)}"),
        ("frozen pattern equal to the events'", f"{patterns.frozen_equal:,}"),
        ("current pattern equal to the events'", f"{patterns.current_equal:,}"),
        ("games with revisions", f"{patterns.revised:,}"),
        ("stale by a dropped update", f"{len(patterns.stale_by_drop)}"),
        ("unexplained patterns", f"{len(patterns.unexplained)}"),
        ("resolved, outcome equal", f"{quality.resolved:,}, {quality.outcomes_equal:,}"),
    ]
    if quality.forecast is not None:
        scores = quality.forecast
        rows += [
            ("MAE (persistence)", f"{scores.mae:.3f} ({quality.persistence_mae:.3f}) points"),
            ("coverage, width", f"{scores.coverage:.1%}, {scores.width:.1f} points"),
        ]
    if report.offline is not None:
        offline = report.offline
        rows += [
            ("forecasts equal to offline", f"{offline.equal:,} of {offline.games:,}"),
            ("  from another pattern", f"{offline.other_pattern:,}"),
            ("  after learning from games", f"{offline.adapted:,}"),
            ("  all metrics equal", "yes" if offline.scores_equal else "no"),
        ]
    rows += [
        ("updates posted", f"{traffic.updates:,} in {traffic.requests:,} requests"),
        ("accepted / duplicates", f"{traffic.accepted:,} / {traffic.duplicates:,}"),
        ("rejected / sent again", f"{traffic.rejected:,} / {traffic.resent:,}"),
        ("repeated requests", _counts(traffic.repeats)),
        ("noise", _counts(report.noise)),
        ("updates/s", f"{traffic.updates_per_second:,.0f} over {traffic.seconds:.1f} s"),
        ("POST latency", ", ".join(f"{k} {v:.1f} ms" for k, v in traffic.latency_ms.items())),
    ]
    return rows


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{count:,} {what}" for what, count in counts.items() if count) or "none"
