"""Start a service, play a real night through it, show every prediction; Ctrl-C stops it all."""

import argparse
import asyncio
import os
import sys
import tempfile
from pathlib import Path

from rich.console import Console

from models.errors import ForecastError
from serve_app.process.service_process import ServiceProcess, ServiceProcessError
from serve_app.process.stop_signals import STOP_SIGNALS, STOPPED
from serve_app.replay.demo import DemoOptions, run_demo
from serve_app.replay.errors import ReplayError

NARROW = 100


def main(arguments: list[str] | None = None) -> int:
    """0 where every game had its prediction, 1 where not, 2 on an error, 130 when stopped early."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, default=Path("configs/fused.yaml"))
    parser.add_argument("--port", type=int, default=int(os.environ.get("PORT") or 8000))
    parser.add_argument("--data-dir", type=Path, help="keep the store here; else it is temporary")
    parser.add_argument("--seconds", type=float, default=45.0, help="how long the night takes")
    parser.add_argument(
        "--exit",
        action="store_true",
        default=os.environ.get("DEMO_EXIT", "") not in {"", "0"},
        help="end when the night is over (DEMO_EXIT=1) instead of staying up",
    )
    given = parser.parse_args(arguments)
    console = Console(width=None if sys.stdout.isatty() else NARROW)
    with tempfile.TemporaryDirectory(prefix="halftime-demo-") as temporary:
        data_dir = given.data_dir or Path(temporary)
        data_dir.mkdir(parents=True, exist_ok=True)
        service = ServiceProcess.of_config(given.config, given.port, data_dir)
        options = DemoOptions(seconds=given.seconds, exits=given.exit)
        try:
            return asyncio.run(_until_stopped(service, options, console))
        except (ReplayError, ServiceProcessError, ForecastError) as error:
            console.print(f"demo: {error}", style="bold red", markup=False)
            return 2


async def _until_stopped(service: ServiceProcess, options: DemoOptions, console: Console) -> int:
    """Run the demo; the first signal ends it, further ones do not disturb the stopping."""
    demo = asyncio.create_task(run_demo(service, options, console))
    for number in STOP_SIGNALS:
        asyncio.get_running_loop().add_signal_handler(number, demo.cancel)
    try:
        return await demo
    except asyncio.CancelledError:
        return STOPPED


if __name__ == "__main__":
    sys.exit(main())
