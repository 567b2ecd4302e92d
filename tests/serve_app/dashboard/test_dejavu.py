"""Déjà vu: past games that went alike, drawn on from the present."""

from typing import Any

import pytest

from tests.serve_app.dashboard.page_modules import Modules, needs_node, view


def past(game_id: str, drift: float, length: int = 48, overtime: int = 1) -> dict[str, Any]:
    margins = [round(drift * minute) for minute in range(1, length + 1)]
    return {
        "game_id": game_id, "date": "2016-03-04", "home_team": "BOS", "away_team": "MIA",
        "distance": 1.0, "margins": margins, "halftime_margin": margins[23],
        "final_margin": margins[-1] + overtime,
    }  # fmt: skip


SIMILAR = {
    "game_id": "g",
    "minute": 12,
    "margin": 5,
    "games": [past("up", 1), past("down", -1), past("flat", 0)],
}


@needs_node
def test_a_past_game_passes_through_the_present_and_goes_on_as_it_did(modules: Modules) -> None:
    path = modules.run("return dejavu.shiftedPath(given.games[0], given);", SIMILAR)
    assert len(path) == 50
    assert path[0] == [0, -7]
    assert path[12] == [720, 5]
    assert path[48] == [2880, 5 + 36]
    assert path[49] == [2940, 5 + 37]
    decided = past("decided", 1, overtime=0)
    own = modules.run("return dejavu.fullPath(given);", decided)
    assert [len(own), own[-1]] == [49, [2880, 48]]


@needs_node
def test_the_figure_names_the_picked_one_and_draws_it_above_the_others(modules: Modules) -> None:
    told = modules.run(
        """
        const game = night.gameFrom(given.view, 0);
        const line = course.emptyCourse();
        course.addScore(line, game);
        const figure = (picked) => game_figures.dejavuFigure(game, line, given.similar, picked);
        const none = game_figures.dejavuFigure(game, line, null, null);
        return {plain: figure(null), picked: figure("up"), gone: figure("no longer there"), none,
                label: game_words.dejavuLabel(game, given.similar),
                full: game_figures.pastFigure(given.similar.games[0])};
        """,
        {
            "view": view(quarter=2, time_remaining="11:40", margin=6).model_dump(mode="json"),
            "similar": SIMILAR,
        },
    )
    assert [line["colour"] for line in told["plain"]["lines"]] == ["past", "past", "past", "ink"]
    colours = [line["colour"] for line in told["picked"]["lines"]]
    assert colours == ["past-dim", "past-dim", "home", "ink"]
    assert told["gone"] == told["plain"]
    # Where a line ends, its dot stands, and that is what is said of it: overtime counts.
    ends = [line["points"][-1] for line in told["plain"]["lines"][:3]]
    assert ends == [[2940, 42], [2940, -30], [2940, 6]]
    assert [mark["at"] for mark in told["plain"]["marks"][:3]] == ends
    assert told["label"].endswith("they lead to DEN +42, DAL +30, DEN +6.")
    assert told["plain"]["x"]["max"] == told["full"]["x"]["max"] == 2940
    assert told["none"]["x"]["max"] == 2880
    assert told["full"]["marks"][-1]["at"] == told["full"]["lines"][0]["points"][-1] == [2940, 49]
    assert [line["colour"] for line in told["none"]["lines"]] == ["ink"]
    y = told["plain"]["y"]
    assert y["min"] <= -31
    assert y["max"] >= 42


@needs_node
def test_what_the_past_says_of_the_end_in_words(modules: Modules) -> None:
    game = view(elapsed=740).model_dump(mode="json") | {"elapsed": 740}
    late = SIMILAR | {"minute": 30, "margin": 5}
    told = modules.run(
        """
        const {game, similar, late} = given;
        return {intro: game_words.dejavuIntro(game, similar),
                late: game_words.dejavuIntro(game, late),
                none: game_words.dejavuIntro(game, null),
                before: game_words.dejavuIntro({...game, elapsed: null}, null),
                label: game_words.dejavuLabel(game, similar),
                row: game_words.similarRow(similar.games[0], 12),
                facts: game_words.pastFacts({...similar.games[1], final_home: 99, final_away: 146,
                                             playoffs: true}),
                pastLabel: game_words.pastLabel(similar.games[2])};
        """,
        {"game": game, "similar": SIMILAR, "late": late},
    )
    assert told["intro"] == (
        "3 past games that went alike through minute 12. Had this one gone on as they did, "
        "the middle would be DEN +5.0 at halftime and DEN +6.0 at the end."
    )
    assert "at halftime" not in told["late"]
    assert told["none"] == "No similar games are known yet."
    assert told["before"].startswith("Once a minute has been played")
    assert (
        told["label"] == "3 past games drawn on from DEN +5; they lead to DEN +42, DAL +30, DEN +6."
    )
    assert told["row"] == {
        "name": "MIA at BOS", "date": "Mar 4, 2016", "then": "BOS +12", "halftime": "BOS +24",
        "final": "BOS +49",
    }  # fmt: skip
    assert told["facts"] == (
        "Mar 4, 2016 (playoffs). Halftime MIA +24, final MIA +47, MIA 146, BOS 99."
    )
    assert told["pastLabel"] == (
        "MIA at BOS: margins at the end of the quarters Tied, Tied, Tied, Tied, in the end BOS +1."
    )


@needs_node
def test_a_game_without_the_present_minute_is_left_out(modules: Modules) -> None:
    short = SIMILAR | {"games": [past("short", 1, 30), past("full", 1)], "minute": 40}
    assert modules.run("return dejavu.usable(given).map((past) => past.game_id);", short) == [
        "full"
    ]


@needs_node
@pytest.mark.parametrize(
    ("numbers", "middle"), [([], None), ([3], 3), ([10, 9, 2], 9), ([4, 1, 2, 100], 3)]
)
def test_the_middle_of_numbers(
    modules: Modules, numbers: list[float], middle: float | None
) -> None:
    assert modules.run("return dejavu.median(given);", numbers) == middle


@needs_node
def test_clocks_are_told_from_the_seconds_elapsed(modules: Modules) -> None:
    seconds = [0, 0.4, 719, 720, 1080, 1440, 2160.2, 2879, 2880, 2881, 3180, 3181]
    assert modules.run("return given.map(game_words.clockAt);", seconds) == [
        "Q1 12:00", "Q1 12:00", "Q1 0:01", "Q2 12:00", "Q2 6:00", "Q3 12:00", "Q4 12:00",
        "Q4 0:01", "End Q4", "OT 4:59", "End OT", "2OT 4:59",
    ]  # fmt: skip
