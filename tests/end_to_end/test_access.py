"""The real service with keys: who gets in, who does not, and that no key stays in a log."""

import asyncio
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import grpc  # type: ignore[import-untyped]
import httpx
import pytest
import websockets.sync.client as websocket
import yaml
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol

from scripts import keys as keys_script
from serve_app.access.access import CHECK_SECONDS
from serve_app.access.key_ring import HOLD_SECONDS
from serve_app.process.environment import free_port
from serve_app.process.exposure import listeners_of
from serve_app.process.server import serve_forever
from serve_app.process.service_process import ServiceProcess
from serve_app.scraper_integration import integrate_with_your_scraper
from serve_app.settings import SettingsError
from tests.end_to_end.conftest import CONFIGS, log_folder, scores

GAME = {"game_id": "guarded", "home_team": "BOS", "away_team": "LAL"}
REVOKED_SECONDS = 4 * (HOLD_SECONDS + CHECK_SECONDS)  # four times the promise, for a slow machine


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("guarded")


class Keys:
    """Keys of the store in a folder, made and revoked by the command."""

    def __init__(self, folder: Path, capture: pytest.CaptureFixture[str]) -> None:
        self._folder = ["--data-dir", str(folder)]
        self._capture = capture
        self.texts: list[str] = []

    def make(self, *scopes: str) -> str:
        assert keys_script.main(["create", "--name", "x", "--scopes", *scopes, *self._folder]) == 0
        text = self._capture.readouterr().out.strip()
        self.texts.append(text)
        return text

    def revoke(self, text: str) -> None:
        assert keys_script.main(["revoke", text.partition("_")[0], *self._folder]) == 0


@pytest.fixture
def keys(folder: Path, capsys: pytest.CaptureFixture[str]) -> Keys:
    return Keys(folder, capsys)


@pytest.fixture
def guarded(folder: Path, keys: Keys, monkeypatch: pytest.MonkeyPatch) -> Iterator[ServiceProcess]:
    """The fused service, which writes a line for each request, and writes it at once."""
    monkeypatch.setenv("RAY_SERVE_REQUEST_PATH_LOG_BUFFER_SIZE", "1")
    keys.make("admin")
    content = yaml.safe_load((CONFIGS / "fused.yaml").read_text())
    content["logging_config"] = {"enable_access_log": True}
    config = folder / "config.yaml"
    config.write_text(yaml.safe_dump(content))
    with ServiceProcess.of_config(config, free_port(), folder) as service:
        asyncio.run(service.ready())
        yield service


class Scraper:
    """Someone's scraper: it takes three callbacks."""

    on_game_start_callback: object
    on_score_update_callback: object
    on_game_end_callback: object


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def refused_handshake(
    service: ServiceProcess,
    headers: Mapping[str, str] | None = None,
    offered: Sequence[Subprotocol] = (),
) -> int:
    with (
        pytest.raises(InvalidStatus) as refused,
        websocket.connect(
            service.live_url, subprotocols=offered or None, additional_headers=headers
        ),
    ):
        pass
    return refused.value.response.status_code


def read_on(watcher: websocket.ClientConnection) -> None:
    while True:
        watcher.recv(timeout=REVOKED_SECONDS)


def test_keys_from_the_first_request_to_the_last_log_line(
    guarded: ServiceProcess, keys: Keys, folder: Path
):
    reader, scraper = keys.make("read"), keys.make("read", "ingest")
    logs = log_folder(guarded)
    with httpx.Client(base_url=guarded.url, timeout=30) as http:
        assert http.get("/health").status_code == 200
        assert http.get("/games").status_code == 401
        eventually(lambda: http.get("/games", headers=bearer(reader)).status_code == 200)
        assert http.post("/games", json=GAME, headers=bearer(reader)).status_code == 403
        assert http.post("/games", json=GAME, headers={"X-API-Key": scraper}).status_code == 200
        assert http.get("/games", params={"api_key": scraper}).status_code == 400
        assert http.get(f"/games/{scraper}", headers=bearer(scraper)).status_code == 400
        elsewhere = {**bearer(scraper), "Origin": "https://evil.example.net"}
        assert http.post("/games", json=GAME, headers=elsewhere).status_code == 403
        assert http.get("/games", headers={"Host": "rebound.example.net"}).status_code == 403

        assert refused_handshake(guarded) == 401
        assert refused_handshake(guarded, elsewhere) == 403
        ticket = http.post("/tickets", headers=bearer(reader)).json()["ticket"]
        offered = [Subprotocol("halftime.v1"), Subprotocol(f"ticket.{ticket}")]
        with (
            websocket.connect(guarded.live_url, subprotocols=offered) as page,
            websocket.connect(guarded.live_url, additional_headers=bearer(scraper)) as program,
        ):
            assert page.subprotocol == "halftime.v1"
            assert refused_handshake(guarded, offered=offered) == 401
            for watcher in (page, program):
                assert json.loads(watcher.recv(timeout=30))["type"] == "snapshot"
            sent = scores("guarded", range(1, 3))
            assert http.post("/scores", json=sent, headers=bearer(scraper)).status_code == 200
            assert json.loads(page.recv(timeout=30))["type"] == "score"

            handed_over = integrate_with_your_scraper(Scraper(), guarded.url, api_key=scraper)
            handed_over.on_score_update({**scores("guarded", range(3, 4))[0]})
            assert handed_over.prediction_service.flush(60)
            handed_over.prediction_service.close()
            assert handed_over.prediction_service.delivery.accepted == 1

            keys.revoke(reader)
            with pytest.raises(ConnectionClosed) as closed:
                read_on(page)
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1008
            assert http.get("/games", headers=bearer(reader)).status_code == 401
            assert http.get("/games", headers=bearer(scraper)).status_code == 200

    expect_ray_is_closed(guarded, folder)
    guarded.stop()
    written = [path for path in (*logs.rglob("*"), folder / "service.log") if path.is_file()]
    lines = b"\n".join(path.read_bytes() for path in written)
    assert b"/games" in lines  # the access log was on
    # One was even put in a URL, as a parameter and in its path.
    for secret in (ticket, *(text.partition("_")[2] for text in keys.texts)):
        assert secret.encode() not in lines


def test_without_keys_no_address_that_others_reach_is_bound(tmp_path: Path):
    content = yaml.safe_load((CONFIGS / "fused.yaml").read_text())
    content["http_options"]["host"] = "0.0.0.0"  # noqa: S104
    config = tmp_path / "config.yaml"
    config.write_text(yaml.safe_dump(content))
    with pytest.raises(SettingsError, match="scripts/keys"):
        serve_forever(config, port=free_port(), data_dir=tmp_path)


def expect_ray_is_closed(service: ServiceProcess, folder: Path) -> None:
    """All its ports are on loopback but those between replicas, and these ask for the token."""
    eventually(lambda: "serving on" in (folder / "service.log").read_text(encoding="utf-8"))
    assert "warning:" not in (folder / "service.log").read_text(encoding="utf-8")
    reached = [one for one in listeners_of(service.members()) if not one.is_loopback]
    for listener in reached:
        assert listener.title.startswith("ray::ServeReplica")
        with grpc.insecure_channel(f"127.0.0.1:{listener.port}") as channel:
            call = channel.unary_unary("/ray.serve.ASGIService/HandleRequest")
            with pytest.raises(grpc.RpcError) as refused:
                call(b"", timeout=30)
        assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED


def eventually(holds: Callable[[], bool]) -> None:
    """Wait until it holds; a key that was just made is known within seconds."""
    deadline = time.monotonic() + REVOKED_SECONDS
    while not holds():
        assert time.monotonic() < deadline
