"""Write the report of a night as one HTML page: predictions, outcomes, and how the feed did.

It reads the store in --data-dir, while a service runs on it or not, or with --url asks a service.
"""

import argparse
import datetime
import sys
from collections.abc import Sequence
from pathlib import Path

from models.errors import ForecastError
from models.training.bundle import Bundle
from serve_app.client import ForecastClient
from serve_app.client.errors import ClientError
from serve_app.night_report.from_service import night_of_service
from serve_app.night_report.from_store import night_of_store
from serve_app.night_report.night import Night, NightError
from serve_app.night_report.page import night_page
from serve_app.settings import SHIPPED_BUNDLE
from serve_app.storage.errors import StoreError
from serve_app.storage.store import Store


def main(arguments: Sequence[str] | None = None) -> int:
    """0 where the page was written, 2 on an error."""
    given = _parser().parse_args(arguments)
    out = given.out or Path(f"night-{given.date}.html")
    try:
        night = _of_service(given) if given.url else _of_store(given)
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(night_page(night), encoding="utf-8")
    except (NightError, StoreError, ClientError, ForecastError, OSError, ValueError) as error:
        print(f"report: {error}", file=sys.stderr)
        return 2
    print(f"{out}: {len(night.games)} games of {night.day}, {len(night.counted)} resolved")
    return 0


def _of_store(given: argparse.Namespace) -> Night:
    bundle = Bundle.load(given.bundle or SHIPPED_BUNDLE)
    store = Store.existing(given.data_dir, given.store_url, given.archive_dir)
    try:
        return night_of_store(store, bundle, given.date)
    finally:
        store.close()


def _of_service(given: argparse.Namespace) -> Night:
    with ForecastClient(given.url) as client:
        return night_of_service(client, given.url, given.date)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--date", type=datetime.date.fromisoformat, required=True, metavar="YYYY-MM-DD"
    )
    parser.add_argument("--out", type=Path, help="the page (default: night-YYYY-MM-DD.html)")
    parser.add_argument("--url", help="ask this service; its key is in HALFTIME_API_KEY")
    parser.add_argument("--data-dir", type=Path, default=Path("data"), help="the service's")
    parser.add_argument(
        "--store-url", help="postgresql://user@host:5432/database, as the service's"
    )
    parser.add_argument("--archive-dir", type=Path, help="default: archive in the data folder")
    parser.add_argument(
        "--bundle", type=Path, help="for persistence's interval (default: the shipped one)"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
