"""The course of one game: fetched once, then extended by what comes."""

import pytest

from tests.serve_app.dashboard.page_modules import RUNNING, Modules, needs_node, score

COURSE = {
    "margins": [{"elapsed_seconds": 24.0, "margin": 2}, {"elapsed_seconds": 90.5, "margin": -1}],
    "forecasts": [
        {"elapsed_seconds": 90.5, "margin": -1, "halftime_point": 1, "final_point": 2,
         "win_probability": 0.55}
    ],
}  # fmt: skip


@needs_node
def test_a_course_begins_level_and_goes_on_with_what_comes(modules: Modules) -> None:
    later = [score("9:00", 8, 4, quarter=1), score("9:00", 8, 5, quarter=1)]
    told = modules.run(
        """
        const line = course.courseOf(given.course);
        const taken = given.later.map((message) => course.addScore(line, message));
        course.addForecast(line, given.forecast);
        const at = [0, 24, 89, 91, 179, 5000].map((seconds) => course.marginAt(line, seconds));
        return {...line, taken, at, minutes: course.minutesOf(line)};
        """,
        {
            "course": COURSE,
            "later": [message.model_dump(mode="json") for message in later],
            "forecast": RUNNING.model_dump(mode="json"),
        },
    )
    assert told["margins"] == [[0, 0], [24, 2], [90.5, -1], [180, 3]]
    assert told["forecasts"] == [[90.5, 0.55], [1188, 0.631]]
    assert told["taken"] == [True, True]
    assert told["at"] == [0, 2, 2, -1, -1, 3]
    assert told["minutes"] == [[1, 2], [2, -1], [3, 3]]


@needs_node
@pytest.mark.parametrize(
    "fields",
    [
        {"flags": ["superseded"]},
        {"flags": ["score_decreased"]},
        {"time_remaining": "11:00"},
        {"time_remaining": "nonsense"},
    ],
)
def test_what_rewrites_the_past_is_fetched_anew(
    modules: Modules, fields: dict[str, object]
) -> None:
    update = score("10:00", 3, 2, quarter=1, **fields).model_dump(mode="json")
    assert (
        modules.run(
            "return course.addScore(course.courseOf(given.course), given.update);",
            {"course": COURSE, "update": update},
        )
        is False
    )


@needs_node
def test_a_level_game_goes_on_and_a_decided_one_does_not(modules: Modules) -> None:
    cases = [(None, 0), (0, 0), (2879, 3), (2880, 0), (2880, 4), (2881, 1), (3180, 0), (3180, -2)]
    ends = modules.run("return given.map(([at, margin]) => course.endOf(at, margin));", cases)
    assert ends == [2880, 2880, 2880, 3180, 2880, 3180, 3480, 3180]
