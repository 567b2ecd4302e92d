"""The drawings of a card."""

import re

import pytest

from tests.serve_app.dashboard.page_modules import OUTCOME, PREDICTION, Modules, needs_node


@needs_node
@pytest.mark.parametrize(
    ("halftime", "covered"), [(-4.6, True), (19, True), (-5, False), (20, False), (60, False)]
)
def test_the_interval_bar_shows_an_outcome_where_it_fell(
    modules: Modules, halftime: float, covered: bool
) -> None:
    outcome = OUTCOME.model_copy(update={"halftime_margin": halftime, "covered": covered})
    game = {
        "prediction": PREDICTION.model_copy(update={"outcome": outcome}).model_dump(mode="json")
    }
    shapes = modules.run("return chart.barShapes(given, chart.barBound(given));", game)
    mark = float(re.match(r"M([\d.]+) ", shapes["actual"])[1])  # type: ignore[index]
    low, high = shapes["low"], shapes["low"] + shapes["width"]
    assert 0 < low < shapes["point"] < high < 360
    assert 0 < mark < 360
    assert (low - 0.1 <= mark <= high + 0.1) is covered
    assert shapes["now"] is None
