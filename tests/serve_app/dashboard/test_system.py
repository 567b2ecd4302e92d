"""What the service says of itself."""

from typing import Any

import pytest

from tests.serve_app.dashboard.page_modules import Modules, needs_node

REPORT: dict[str, Any] = {
    "games_monitored": 15, "games_live": 9, "updates_per_second": 4.26,
    "feed_lag_seconds": {"median": 1.24, "longest": 300.0},
    "response_ms": {"requests": 12345, "p50": 2.41, "p95": 87.4, "p99": 1234.0},
    "ingress_replicas": 2, "shards": 4, "shards_expected": 4, "feed_replicas": 1, "watchers": 12,
    "dropped_watchers": 0, "webhooks_pending": 3, "model_version": "nba-2023",
    "calibration_version": "nba-2023+12",
}  # fmt: skip


@needs_node
def test_a_report_in_figures(modules: Modules) -> None:
    assert modules.run("return system_words.figuresOf(given);", REPORT) == {
        "updates": "4.3", "games-monitored": "15", "games-live": "9", "lag-median": "1.2 s",
        "lag-longest": "5 min", "p50": "2.4 ms", "p95": "87 ms", "p99": "1.2 s",
        "requests": "12,345", "shards": "4 of 4", "ingress-replicas": "2", "feed-replicas": "1",
        "webhooks": "3", "watchers": "12", "dropped": "0", "model-version": "nba-2023",
        "calibration-version": "nba-2023+12",
    }  # fmt: skip


@needs_node
def test_what_is_not_known_is_a_dash(modules: Modules) -> None:
    unknown = REPORT | {"feed_lag_seconds": None, "response_ms": None}
    told = modules.run("return given.map(system_words.figuresOf);", [unknown, {}])
    assert {told[0][name] for name in ("lag-median", "p50", "p99", "requests")} == {"–"}
    assert set(told[1].values()) == {"–"}


@needs_node
@pytest.mark.parametrize(
    ("fields", "summary"),
    [
        ({}, "Everything answers. 9 games under way."),
        ({"games_live": 1}, "Everything answers. 1 game under way."),
        ({"shards": 3}, "1 of 4 shards does not answer."),
        (
            {"shards": 2, "feed_replicas": 0},
            "2 of 4 shards do not answer. No feed replica answers.",
        ),
        ({"ingress_replicas": 0}, "No ingress replica answers."),
    ],
)
def test_what_is_wrong_is_said_first(
    modules: Modules, fields: dict[str, int], summary: str
) -> None:
    assert modules.run("return system_words.summaryOf(given);", REPORT | fields) == summary


@needs_node
def test_the_page_keeps_a_quarter_of_an_hour_of_reports(modules: Modules) -> None:
    told = modules.run(
        """
        const kept = new reports.Reports();
        const before = kept.newest;
        for (let number = 0; number < 200; number += 1) kept.add(number, number * 5000);
        const full = [kept.kept.length, kept.kept[0].system, kept.newest, kept.span];
        kept.forget();
        return {before, full, after: [kept.newest, kept.span, kept.silentSince(1e12)]};
        """
    )
    assert told == {"before": None, "full": [180, 20, 199, 895], "after": [None, 0, None]}


@needs_node
def test_the_line_of_updates_ends_at_the_right_edge(modules: Modules) -> None:
    paths = modules.run(
        "return given.map((values) => spark.sparkPaths(values));", [[], [3], [0, 4, 2]]
    )
    assert paths[:2] == [{"line": None, "area": None}] * 2
    points = [tuple(map(float, point.split())) for point in paths[2]["line"][1:].split("L")]
    assert points[-1][0] == 360
    assert [y for _, y in points] == [54, 2, 28]
    note, label, none = modules.run(
        """
        return [system_words.sparkNote([0, 4, 2], 10), system_words.sparkLabel([0, 4, 2]),
                system_words.sparkLabel([])];
        """
    )
    assert note == "The last 10 s; at most 4.0 a second."
    assert label == "Updates a second: now 2.0, 50\u202f% of the most in the time shown."
    assert none == "No updates a second known yet."


@needs_node
def test_the_line_reaches_back_to_when_its_first_report_came(modules: Modules) -> None:
    note = modules.run(
        """
        const kept = new reports.Reports();
        for (const at of [0, 5000, 605_000]) kept.add({updates_per_second: 4}, at);
        return system_words.sparkNote(kept.rates, kept.span);
        """
    )
    assert note == "The last 10 min; at most 4.0 a second."


VIEW = """
const node = (part) => ({dataset: {part}, textContent: "", getAttribute: () => null,
                         setAttribute() {}, toggleAttribute() {}});
const nodes = [...Object.keys(system_words.figuresOf({})), "summary", "spark", "spark-line",
               "spark-area", "spark-note"].map(node);
const summary = nodes.find(({dataset}) => dataset.part === "summary");
const kept = new reports.Reports();
let now = 1_700_000_000_000;
Date.now = () => now;
let answer;
const view = new system_view.SystemView({querySelectorAll: () => nodes}, {
  reports: kept, redraw: () => {},
  fetchJson: () => new Promise((done) => { answer = done; })});
"""


@needs_node
def test_after_three_reports_that_did_not_come_nothing_is_said_to_answer(modules: Modules) -> None:
    told = modules.run(
        VIEW
        + """
        const seen = [];
        const drawAfter = (seconds) => {
          now += seconds * 1000;
          view.draw();
          seen.push([summary.textContent, summary.dataset.trouble]);
        };
        const hear = () => { kept.add(given); view.take({type: "system"}); };
        drawAfter(0);
        hear();
        const heard = words.timeText(now);
        [0, 15, 5].forEach(drawAfter);
        hear();
        drawAfter(0);
        return {seen, heard};
        """,
        REPORT,
    )
    fine = ["Everything answers. 9 games under way.", "no"]
    silent = [f"No report since {told['heard']}.", "yes"]
    assert told["seen"] == [["Waiting for the first report.", "no"], fine, fine, silent, fine]
    assert ":" in told["heard"]


@needs_node
@pytest.mark.parametrize(("closed", "kept"), [(False, 1), (True, 0)])
def test_the_first_report_is_taken_while_the_view_is_looked_at(
    modules: Modules, closed: bool, kept: int
) -> None:
    told = modules.run(
        VIEW
        + """
        const opening = view.open();
        if (given.closed) view.close();
        answer(given.report);
        await opening;
        return kept.kept.length;
        """,
        {"closed": closed, "report": REPORT},
    )
    assert told == kept
