"""The life of a model in the real service: it learns, and another takes over while games go on."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from models.training.bundle import Bundle
from serve_app.process.service_process import ServiceProcess
from serve_app.settings import SHIPPED_BUNDLE
from tests.serve_app.small_bundles import saved, small

DAY = "2024-11-05"
LATER = {"pattern": [2.0, 4.0, 3.0], "home_team": "BOS", "away_team": "LAL", "date": "2024-11-06"}


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return saved(small(Bundle.load(SHIPPED_BUNDLE)), tmp_path_factory.mktemp("other"))


def wait_for(said: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 120
    while not said():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def score(game_id: str, minute: int) -> dict[str, object]:
    """An update at the end of a minute; home is five points ahead from the first on."""
    quarter = -(-minute // 12)
    return {
        "game_id": game_id,
        "quarter": quarter,
        "time_remaining": f"{12 * quarter - minute}:00",
        "score_home": 2 * minute + 5,
        "score_away": 2 * minute,
        "sequence": minute,
    }


def register(http: httpx.Client, game_id: str) -> None:
    registration = {
        "game_id": game_id,
        "home_team": "BOS",
        "away_team": "LAL",
        "start_time": f"{DAY}T19:30:00",
    }
    assert http.post("/games", json=registration).status_code == 200


class Scraper:
    """Posts games minute by minute without a pause, one after another, until told to stop."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._stop = threading.Event()
        self.games: list[str] = []

    def run(self) -> None:
        with httpx.Client(base_url=self._url, timeout=30) as http:
            while not self._stop.is_set():
                game_id = f"live-{time.time_ns()}"
                register(http, game_id)
                for minute in range(1, 25):
                    answer = http.post("/scores", json=[score(game_id, minute)])
                    assert answer.status_code == 200, answer.text
                    (item,) = answer.json()
                    assert item["status"] == 200, item
                self.games.append(game_id)

    @contextmanager
    def posting(self) -> Iterator[None]:
        """Post in the background; an error that it met is raised at the end."""
        with ThreadPoolExecutor(1) as thread:
            posting = thread.submit(self.run)
            try:
                yield
            finally:
                self._stop.set()
                posting.result(timeout=120)


def put_in_service(folder: Path, bundle: Path) -> None:
    """Edit the config file of the service that runs from `folder`."""
    config = folder / "config.yaml"
    content = yaml.safe_load(config.read_text())
    for deployment in content["applications"][0]["deployments"]:
        if deployment["name"] == "Ingress":
            deployment["user_config"] = {"bundle": str(bundle)}
    config.write_text(yaml.safe_dump(content))


@pytest.mark.parametrize("placement", ["composed", "fused"])
def test_it_learns_and_another_bundle_takes_over_while_a_game_goes_on(
    placement: str, request: pytest.FixtureRequest, other: Path
):
    service: ServiceProcess = request.getfixturevalue(placement)
    folder: Path = request.getfixturevalue(f"{placement}_folder")
    request.addfinalizer(partial(put_in_service, folder, SHIPPED_BUNDLE))
    versions = [Bundle.load(bundle).model_version for bundle in (SHIPPED_BUNDLE, other)]
    with httpx.Client(base_url=service.url, timeout=30) as http:

        def models() -> dict[str, Any]:
            found: dict[str, Any] = http.get("/models").json()
            return found

        def log_says(text: str) -> bool:
            return text in (folder / "service.log").read_text()

        known = models()["learned_games"]
        register(http, "teaches")
        http.post("/scores", json=[score("teaches", minute) for minute in range(1, 49)])
        before = http.post("/predict", json=LATER).json()
        assert before["calibration_version"] == f"{versions[0]}+{known}"
        assert http.post("/games/teaches/end").status_code == 200
        wait_for(lambda: models()["learned_games"] == known + 1, "the game is not learned")
        assert models()["ratings_day"] == DAY
        after = http.post("/predict", json=LATER).json()
        assert after["calibration_version"] == f"{versions[0]}+{known + 1}"
        assert after["expected_margin"] != before["expected_margin"]
        processes = service.members("ray::")
        scraper = Scraper(service.url)
        with scraper.posting():
            put_in_service(folder, folder / "nowhere")
            wait_for(lambda: log_says("is refused"), "the wrong edit is not refused")
            assert models()["model_version"] == versions[0]
            put_in_service(folder, other)
            wait_for(lambda: models()["model_version"] == versions[1], "it does not take over")
            played = len(scraper.games)
            wait_for(lambda: len(scraper.games) > played + 1, "no game was played since")
        # The dispatcher of webhooks starts later than the rest: a process may come, none may go.
        assert set(processes) <= set(service.members("ray::"))
        assert log_says("the edited config file is taken")
        assert models()["learned_games"] == known + 1
        made = [http.get(f"/games/{game_id}/prediction").json() for game_id in scraper.games]
        assert all(prediction["outcome"]["halftime_margin"] == 5 for prediction in made)
        named = [prediction["model_version"] for prediction in made]
        assert named == sorted(named, key=versions.index)
        assert set(named) == set(versions)
        assert made[-1]["calibration_version"] == f"{versions[1]}+{known}"
        views = [http.get(f"/games/{game_id}").json() for game_id in scraper.games]
        assert {view["updates"] for view in views} == {24}
        put_in_service(folder, SHIPPED_BUNDLE)
        wait_for(lambda: models()["model_version"] == versions[0], "the old one does not return")
        assert http.post("/predict", json=LATER).json() == after
