"""The report: one page of a backtest's tables and plots that needs nothing else to be read."""

import html
from collections.abc import Mapping, Sequence
from pathlib import Path

from models.backtest.figures import figures
from models.backtest.goals import goals
from models.backtest.svg import Figure
from models.backtest.tables import Table, goal_table, tables
from models.backtest.tally import MODEL, Tally

_STYLE = Path(__file__).with_name("report.css")

_PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
{style}</style>
</head>
<body>
<header>
<h1>{title}</h1>
<p>{lead}</p>
{notices}
<dl>
{facts}
</dl>
</header>
<main>
<section aria-labelledby="reached"><h2 id="reached">Numbers to reach</h2>
{goals}
</section>
<section aria-labelledby="plots"><h2 id="plots">Plots</h2>
<div class="figures">
{figures}
</div>
</section>
<section aria-labelledby="numbers"><h2 id="numbers">Tables</h2>
{tables}
</section>
<section aria-labelledby="method"><h2 id="method">How to read this</h2>
{method}
</section>
</main>
</body>
</html>
"""

_LEAD = (
    "Forecasts of the halftime and the final margin (home − away, points) from the end of each "
    "game minute, beside baselines, on games that no forecast had seen."
)

_METHOD = """\
<p><b>ensemble</b> is the model in service, the weighted mean of <b>dejavu</b> and <b>lstm</b>, with
its calibrated distribution. A game is forecast with what the games of earlier dates taught ratings
and calibration, and with nothing else.</p>
<p>Baselines learn from earlier seasons alone and get the same expected margins. <b>persistence</b>:
the margin stays. <b>brownian</b>: drift and variance per minute (Stern 1994), no teams.
<b>ridge</b>: linear in the margins of all minutes so far and the expected margin. <b>boosting</b>:
gradient-boosted trees on margin, expected margin and last changes. Their distributions are normal,
as wide as their residuals at that minute in the last four of the earlier seasons. <b>logistic</b>:
win probability from margin and expected margin. <b>level_neighbours</b>: the 500 paths most alike
after z-normalising, median of their halftime levels; <b>original</b>: 0.4 of it and 0.6 of the
LSTM; both as wide as their errors in the last earlier season.</p>
<p>Interval score: width plus 2/α times what a miss misses by. CRPS and interval score as in
Gneiting &amp; Raftery (2007); lower is better. Standard errors are over games, one minute at a
time; differences are paired by game.</p>"""


def report(
    tally: Tally, *, title: str, facts: Mapping[str, str], notices: Sequence[str] = ()
) -> str:
    """The page as HTML.

    Args:
        tally: of all rows.
        title: what was backtested.
        facts: what the reader should know of the run, by name.
        notices: what is to be seen before any number, such as games that were left out.
    """
    reached = goal_table(goals(tally))
    return _PAGE.format(
        title=html.escape(title),
        style=_STYLE.read_text(encoding="utf-8"),
        lead=html.escape(_LEAD),
        notices="\n".join(f'<p class="notice">{html.escape(one)}</p>' for one in notices),
        facts="\n".join(
            f"<dt>{html.escape(name)}</dt><dd>{html.escape(value)}</dd>"
            for name, value in facts.items()
        ),
        goals=_table(reached),
        figures="\n".join(_figure(one) for one in figures(tally)),
        tables="\n".join(_table(one) for one in tables(tally)),
        method=_METHOD,
    )


def _figure(figure: Figure) -> str:
    return (
        f'<figure id="{figure.name}"><h3>{html.escape(figure.title)}</h3>\n{figure.svg}\n'
        f"<figcaption>{html.escape(figure.caption)}</figcaption></figure>"
    )


def _table(table: Table) -> str:
    head = "".join(f'<th scope="col">{html.escape(cell)}</th>' for cell in table.head)
    rows = "\n".join(_row(row) for row in table.rows)
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{html.escape(table.caption)}">'
        f'<table id="{table.name}"><caption>{html.escape(table.caption)}</caption>\n'
        f"<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}\n</tbody></table></div>"
    )


def _row(row: Sequence[str]) -> str:
    name, *cells = row
    emphasis = ' class="ensemble"' if name == MODEL else ""
    return (
        f'<tr{emphasis}><th scope="row">{html.escape(name)}</th>{"".join(map(_cell, cells))}</tr>'
    )


def _cell(text: str) -> str:
    verdicts = ("reached", "within noise", "not reached", "not measured")
    kind = f' class="{text.replace(" ", "-")}"' if text in verdicts else ""
    return f"<td{kind}>{html.escape(text)}</td>"
