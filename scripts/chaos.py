"""Kill the service again and again while real games are played to it; print the certificate."""

import argparse
import asyncio
import json
import sys
import tempfile
from pathlib import Path

from rich.console import Console

from models.errors import ForecastError
from serve_app.chaos.certificate import Certificate
from serve_app.chaos.certificate_table import print_certificate
from serve_app.chaos.chaos_night import chaos_night, choose_recordings
from serve_app.chaos.chaos_run import ChaosOptions, ChaosRun
from serve_app.chaos.chaos_service import ChaosService
from serve_app.chaos.kill_kind import KINDS
from serve_app.chaos.outages import Kill
from serve_app.process.environment import free_port
from serve_app.process.service_process import ServiceProcessError
from serve_app.process.stop_signals import until_stopped
from serve_app.replay.demo import NIGHT_FOLDER
from serve_app.replay.errors import ReplayError
from serve_app.settings import SettingsError

NARROW = 100


def main(arguments: list[str] | None = None) -> int:
    """0 where nothing was lost, doubled, missing or changed, 1 where something was, 2 on error."""
    given = _parser().parse_args(arguments)
    console = Console(width=None if sys.stdout.isatty() else NARROW)
    with tempfile.TemporaryDirectory(prefix="halftime-chaos-") as temporary:
        data_dir = given.data_dir or Path(temporary)
        data_dir.mkdir(parents=True, exist_ok=True)
        try:
            certificate = asyncio.run(_run(given, data_dir))
        except (ReplayError, ServiceProcessError, ForecastError, SettingsError) as error:
            print(f"chaos: {error}", file=sys.stderr)
            return 2
    print_certificate(console, certificate)
    if given.report:
        text = json.dumps(certificate.as_json(), indent=2)
        given.report.write_text(text + "\n", encoding="utf-8")
    return 1 if certificate.failures() else 0


async def _run(given: argparse.Namespace, data_dir: Path) -> Certificate:
    recordings = choose_recordings(*_files(given), given.games, seed=given.seed)
    night = chaos_night(recordings, given.games, until=given.until)
    service = ChaosService.of_config(
        given.config, given.port or free_port(), data_dir, ingress_replicas=given.ingress_replicas
    )
    options = ChaosOptions(
        kills=given.kills,
        seed=given.seed,
        kinds=tuple(given.kinds) if given.kinds else None,
        kill_seconds=given.kill_seconds,
    )
    done = 0

    def tell(kill: Kill) -> None:
        nonlocal done
        done += 1
        whole = kill.whole_at - kill.at
        print(f"{done}/{given.kills} {kill.kind.name}: whole again after {whole:.1f} s", flush=True)

    return await ChaosRun(service, night, options, on_kill=tell).certify()


def _files(given: argparse.Namespace) -> tuple[Path, Path]:
    """The given games and events, or those of the shipped night where they are absent."""
    if given.games_file.exists() and given.events_file.exists():
        return given.games_file, given.events_file
    print(f"{given.games_file}: absent; the shipped night is played instead", file=sys.stderr)
    return NIGHT_FOLDER / "games.parquet", NIGHT_FOLDER / "events.parquet"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--games", type=_positive, default=100, help="how many games are played")
    parser.add_argument("--kills", type=_positive, default=200)
    parser.add_argument("--seed", type=int, default=7, help="of the kills and the choice of games")
    parser.add_argument("--config", type=Path, default=Path("configs/fused.yaml"))
    parser.add_argument("--ingress-replicas", type=_positive, default=2)
    parser.add_argument(
        "--kinds", nargs="+", choices=[kind.name for kind in KINDS], help="kill only these"
    )
    parser.add_argument("--kill-seconds", type=float, default=5.0, help="expected for one kill")
    parser.add_argument("--until", choices=("halftime", "final"), default="final")
    shared = Path("..") / "shared" / "data"
    parser.add_argument("--games-file", type=Path, default=shared / "games.parquet")
    parser.add_argument("--events-file", type=Path, default=shared / "score_events.parquet")
    parser.add_argument("--port", type=int, help="of the service; a free one where not given")
    parser.add_argument("--data-dir", type=Path, help="keep the store and the log here")
    parser.add_argument("--report", type=Path, help="write the certificate here as JSON")
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"expected a number from 1; got {text}")
    return number


if __name__ == "__main__":
    sys.exit(until_stopped(main))
