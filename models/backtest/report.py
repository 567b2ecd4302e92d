"""The report: one page of a backtest's tables and plots that needs nothing else to be read."""

from collections.abc import Mapping, Sequence

from models.backtest.figures import figures
from models.backtest.goals import goals
from models.backtest.tables import goal_table, tables
from models.backtest.tally import MODEL, Tally
from models.report.page import Section, figures_html, page, table_html

VERDICTS = ("reached", "within noise", "not reached", "not measured")

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
    told = "\n".join(table_html(one, strong=MODEL) for one in tables(tally))
    reached = table_html(goal_table(goals(tally)), marked=VERDICTS)
    sections = [
        Section("reached", "Numbers to reach", reached),
        Section("plots", "Plots", figures_html(figures(tally))),
        Section("numbers", "Tables", told),
        Section("method", "How to read this", _METHOD),
    ]
    return page(title, _LEAD, sections, facts=facts, notices=notices)
