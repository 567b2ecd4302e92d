"""The README is executed, so that it cannot rot."""

import re
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from serve_app.process.service_process import ROOT, ServiceProcess
from tests.end_to_end.conftest import register, scores

README = (ROOT / "README.md").read_text()
PYTHON = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


class MyScraper:
    """Someone's scraper: it only knows its three callbacks."""

    on_game_start_callback: Callable[[dict[str, Any]], None]
    on_score_update_callback: Callable[[dict[str, Any]], None]
    on_game_end_callback: Callable[[str], None]

    def run(self) -> None:
        self.on_game_start_callback({"game_id": "scraped", "home_team": "BOS", "away_team": "LAL"})
        for update in scores("scraped", range(1, 25)):
            self.on_score_update_callback(update)
        self.on_game_end_callback("scraped")


def test_the_scraper_example_predicts_and_resolves(
    composed: ServiceProcess, http: httpx.Client, capsys: pytest.CaptureFixture[str]
):
    (example,) = [block for block in PYTHON if "integrate_with_your_scraper" in block]
    names: dict[str, Any] = {"MyScraper": MyScraper}
    exec(example.replace("http://127.0.0.1:8000", composed.url), names)  # noqa: S102
    service = names["scraper"].on_game_start_callback.__self__.prediction_service
    assert service.flush(60)
    service.close()
    assert http.get("/games/scraped").json()["state"] == "ended"
    made = http.get("/games/scraped/prediction").json()
    assert made["outcome"]["halftime_margin"] == 24
    assert "game_id='scraped'" in capsys.readouterr().out


def test_the_client_examples_print_their_forecasts(
    composed: ServiceProcess, capsys: pytest.CaptureFixture[str]
):
    half, final = (block for block in PYTHON if "client.predict(" in block)
    exec(half.replace("http://127.0.0.1:8000", composed.url), {})  # noqa: S102
    numbers, games = capsys.readouterr().out.splitlines()
    point, lower, upper = map(float, numbers.split())
    assert lower < point < upper
    assert len(re.findall(r"'\d{10}'", games)) == 10
    exec(final.replace("http://127.0.0.1:8000", composed.url), {})  # noqa: S102
    chance, median, lines = capsys.readouterr().out.split(maxsplit=2)
    assert 0.5 < float(chance) < 1.0
    assert float(median) > 0
    assert "line=3.5" in lines


def test_the_listening_example_hears_of_a_prediction(composed: ServiceProcess, http: httpx.Client):
    (example,) = [block for block in PYTHON if "client.watch(" in block]
    command = [sys.executable, "-u", "-c", example.replace("http://127.0.0.1:8000", composed.url)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as listening:
        assert listening.stdout is not None
        assert "snapshot" in listening.stdout.readline()
        register(http, "heard")
        http.post("/scores", json=scores("heard", range(1, 19)))
        assert "prediction" in listening.stdout.readline()
        listening.kill()


def test_every_command_of_the_readme_exists():
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"\bmake ([a-z]+)\b", README):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), f"make {target}"
    for path in re.findall(r"(?:configs|scripts|models)/[\w/.-]*\w", README):
        assert (ROOT / path).exists(), path


def test_every_route_of_the_readme_exists(http: httpx.Client):
    described = set(http.get("/openapi.json").json()["paths"]) | {"/ws/asyncapi.json"}
    feed = http.get("/ws/asyncapi.json").json()
    described |= {channel["address"] for channel in feed["channels"].values()}
    for route in re.findall(r"`?(?:GET|POST) (/[\w/{}.]*)", README):
        assert route.replace("{id}", "{game_id}") in described, route
