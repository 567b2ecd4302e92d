"""The report of a night says what the service says, and is one whole page."""

import datetime
import runpy
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import anyio
import httpx
import pytest

from models.training.bundle import Bundle
from serve_app.client import ForecastClient
from serve_app.model.accuracy import accuracy
from serve_app.night_report.from_service import night_of_service
from serve_app.night_report.from_store import night_of_store
from serve_app.night_report.night import FeedLag, Night, NightError, first_half
from serve_app.night_report.page import night_page
from serve_app.process.service_process import ROOT
from serve_app.schemas import AccuracyDays
from tests.html_pages import (
    Outline,
    expect_accessible,
    expect_answered_references,
    expect_both_schemes,
    expect_self_contained,
)
from tests.serve_app.night_report.conftest import GAMES, HOSTILE_TEAM, PlayedNight

URL = "http://service"


@pytest.fixture(scope="module")
def night(played: PlayedNight, bundle: Bundle) -> Night:
    return night_of_store(played.store, bundle, played.day)


@pytest.fixture(scope="module")
def page(night: Night) -> str:
    return night_page(night)


@pytest.fixture(scope="module")
def tables(page: str) -> dict[str, list[list[str]]]:
    return Outline(page).tables


def test_the_figures_are_those_of_the_accuracy_route(
    tables: dict[str, list[list[str]]], played: PlayedNight, bundle: Bundle
):
    found = accuracy(played.store, bundle, bundle.adaptation())
    head, ensemble, persistence = tables["skill"]
    assert head[1:] == ["MAE", "RMSE", "CRPS", "inside the interval", "width", "interval score"]
    for cells, skill in ((ensemble, found.ensemble), (persistence, found.persistence)):
        assert skill is not None
        assert [float(cells[place]) for place in (1, 2, 3, 5, 6)] == pytest.approx(
            [skill.mae, skill.rmse, skill.crps, skill.width, skill.interval_score], abs=0.0051
        )
        assert cells[4] == f"{skill.coverage * found.resolved:.0f} of {found.resolved}"
    assert found.resolved == GAMES + 1


def test_every_game_has_its_prediction_and_what_became_of_it(
    tables: dict[str, list[list[str]]], played: PlayedNight
):
    rows = {row[0]: row for row in tables["predictions"][1:]}
    assert len(rows) == GAMES + 2
    for game_id in played.store.games.of_day(played.day):
        made, stored = played.store.predictions.get(game_id), played.store.games.get(game_id)
        assert stored is not None
        row = rows[f"{stored.registration.home_team} – {stored.registration.away_team}"]
        if made is None:
            assert game_id == "unseen"
            assert set(row[1:]) == {"–"}
            continue
        assert made.outcome is not None
        told = [float(cell.replace("−", "-")) for cell in (row[1], row[2], row[5], row[7], row[8])]
        assert told == pytest.approx(
            [
                made.pattern[-1],
                made.point_forecast,
                made.outcome.halftime_margin,
                made.outcome.error,
                made.outcome.persistence_error,
            ],
            abs=0.051,
        )
        low, high = row[3].replace("−", "-").split(" to ")
        assert float(low) == pytest.approx(made.interval_lower, abs=0.051)
        assert float(high) == pytest.approx(made.interval_upper, abs=0.051)
        assert row[4] == "95 %"
        assert row[6] == ("yes" if made.outcome.covered else "outside")


def test_the_feed_table_tells_of_gaps_corrections_and_revisions(
    tables: dict[str, list[list[str]]], played: PlayedNight
):
    rows = {row[0]: row for row in tables["updates"][1:]}
    revised = rows["DEN – DAL"]
    assert revised[1:7] == ["resolved", "19", "1", "7", "2", "1: late update"]
    assert revised[7:] == ["–", "–"]
    unseen = rows[f"{HOSTILE_TEAM} – LAL"]
    assert unseen[1:7] == ["registered", "0", "0", "none", "–", "none"]
    stamped = next(row for row in rows.values() if row[7] != "–")
    # The stamps are those of the night itself, which is long over.
    assert stamped[7].endswith(" days")


def test_the_course_is_the_margin_up_to_halftime(night: Night):
    (revised,) = [game for game in night.games if game.game_id == "revised"]
    assert revised.course[0] == (60.0, 1)
    assert (480.0, 8.0) in revised.course
    assert 420.0 not in dict(revised.course)
    assert revised.course[-1] == (1440.0, 22.0)
    (unseen,) = [game for game in night.games if game.game_id == "unseen"]
    assert unseen.course == ()
    changes = [margin for _, margin in revised.course[:-1]]
    assert all(one != other for one, other in pairwise(changes))


def test_after_halftime_the_course_goes_on_to_its_end():
    course = [(30.0, 2.0), (1400.0, 5.0), (1500.0, 7.0)]
    assert first_half(course) == ((30.0, 2.0), (1400.0, 5.0), (1440.0, 5.0))
    assert first_half(course[:2]) == ((30.0, 2.0), (1400.0, 5.0))
    assert first_half([]) == first_half(course[2:]) == ()


def test_there_is_a_plot_of_every_game_and_of_all(page: str, night: Night):
    figures = [told["id"] for tag, told in Outline(page).tags if tag == "figure"]
    # Of the one that was never seen there is nothing to draw.
    courses = [f"course-{place}" for place, game in enumerate(night.games, 1) if game.updates]
    assert len(courses) == GAMES + 1
    assert figures == ["predicted", *courses, "days", "calibration"]


def test_the_page_is_whole_accessible_and_needs_nothing_else(page: str):
    expect_self_contained(page)
    expect_answered_references(page)
    expect_accessible(page)
    expect_both_schemes(page)
    assert HOSTILE_TEAM not in page
    assert HOSTILE_TEAM in Outline(page).words


def test_few_games_are_told_to_be_little_evidence(page: str, night: Night):
    assert night.difference is not None
    words = Outline(page).words
    assert f"{GAMES + 1} games are little evidence" in words
    assert f"standard error of {night.difference.standard_error:.2f}" in words
    assert f"Without a prediction: {HOSTILE_TEAM} – LAL" in words


def test_the_same_night_gives_the_same_page(page: str, played: PlayedNight, bundle: Bundle):
    assert night_page(night_of_store(played.store, bundle, played.day)) == page


def test_a_service_tells_the_same_but_the_lag(night: Night, played: PlayedNight):
    class Bridge(httpx.BaseTransport):
        """The service in this process, called as over the network."""

        def handle_request(self, request: httpx.Request) -> httpx.Response:
            async def ask() -> httpx.Response:
                async with httpx.AsyncClient(transport=played.transport) as client:
                    answer = await client.send(
                        client.build_request(request.method, request.url, content=request.read())
                    )
                    return httpx.Response(answer.status_code, content=answer.content)

            return anyio.run(ask)

    with ForecastClient(URL, transport=Bridge()) as client:
        told = night_of_service(client, URL, played.day)
        with pytest.raises(NightError, match="none of 2024-04-13 among its 1,000 newest"):
            night_of_service(client, URL, datetime.date(2024, 4, 13))
    assert told.season == night.season
    assert [replace(game, lag=None) for game in told.games] == [
        replace(game, lag=None) for game in night.games
    ]
    expect_self_contained(night_page(told))


def test_a_night_of_which_nothing_is_known_yet_is_a_page_too(night: Night):
    silent = [replace(game, prediction=None) for game in night.games]
    early = Night(night.day, "a test", tuple(silent), AccuracyDays(days=[], calibration=[]))
    page = night_page(early)
    expect_self_contained(page)
    expect_accessible(page)
    assert "there is nothing to measure" in page
    one = Night(night.day, "a test", (night.games[0],), night.season)
    assert "One game is no evidence" in night_page(one)


def test_what_was_predicted_after_halftime_is_named_and_does_not_count(night: Night):
    game = night.games[0]
    assert game.prediction is not None
    late = replace(
        game,
        prediction=game.prediction.model_copy(update={"made_after_halftime": True}),
        lag=FeedLag(1.25, 400.0),
    )
    told = Night(night.day, "a test", (late, *night.games[1:]), night.season)
    assert len(told.counted) == len(night.counted) - 1
    words = Outline(night_page(told)).words
    assert f"which does not count: {game.name}" in words
    assert "1.2 s" in words
    assert "7 min" in words


def main(arguments: list[str]) -> int:
    run: Callable[[list[str]], int] = runpy.run_path(str(ROOT / "scripts" / "report.py"))["main"]
    return run(arguments)


def test_the_command_writes_the_page(
    played: PlayedNight, tmp_path: Path, page: str, capsys: pytest.CaptureFixture[str]
):
    out = tmp_path / "new" / "night.html"
    asked = ["--date", played.day.isoformat(), "--data-dir", str(played.folder)]
    assert main([*asked, "--out", str(out)]) == 0
    assert out.read_text(encoding="utf-8") == page
    assert f"{GAMES + 2} games of 2024-04-14, {GAMES + 1} resolved" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--date", "2024-04-13"], "the store has none of 2024-04-13"),
        (["--date", "2024-04-14", "--data-dir", "nowhere"], "nowhere: expected the service's data"),
        (["--date", "2024-04-14", "--url", "nowhere"], "expected an address like"),
        (["--date", "2024-04-14", "--bundle", "nowhere"], "nowhere: expected a bundle folder"),
    ],
)
def test_what_cannot_be_reported_is_said(
    played: PlayedNight,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    said: str,
):
    out = tmp_path / "night.html"
    assert main(["--data-dir", str(played.folder), *arguments, "--out", str(out)]) == 2
    assert said in capsys.readouterr().err
    assert not out.exists()
