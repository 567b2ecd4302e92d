"""Make, list and revoke the API keys of a service, in its store; it need not run."""

import argparse
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from serve_app.access.key_ring import HOLD_SECONDS
from serve_app.access.keys import KeyRecord, new_key
from serve_app.access.scopes import SCOPES
from serve_app.storage.api_keys import ApiKeys
from serve_app.storage.database import FILE_NAME
from serve_app.storage.errors import StoreError
from serve_app.storage.store import Store

SECONDS_PER_DAY = 86_400


def main(arguments: Sequence[str] | None = None) -> int:
    """0 where it was done, 1 where there is no such key, 2 on an error."""
    given = _parser().parse_args(arguments)
    try:
        store = given.open(given.data_dir, given.store_url)
        try:
            return int(given.act(ApiKeys(store.database), given))
        finally:
            store.close()
    except (StoreError, ValueError) as error:
        print(f"keys: {error}", file=sys.stderr)
        return 2


def _create(keys: ApiKeys, given: argparse.Namespace) -> int:
    now = time.time()
    days = given.expires_days
    expires_at = None if days is None else now + days * SECONDS_PER_DAY
    made = new_key(given.name, given.scopes, now=now, expires_at=expires_at)
    is_new = given.store_url is None and not (given.data_dir / FILE_NAME).exists()
    keys.add(made.record)
    print(made.text)
    if is_new:
        print(
            f"keys: WARNING: a new store was made in {given.data_dir.resolve()}; a service asks "
            "for this key only where that is its data_dir",
            file=sys.stderr,
        )
    print(
        f"keys: this is the only time that {made.record.key_id} is shown as a whole; running "
        "services ask for keys from now on",
        file=sys.stderr,
    )
    return 0


def _list(keys: ApiKeys, _: argparse.Namespace) -> int:
    now = time.time()
    table = Table("id", "name", "scopes", "created", "expires", "state")
    for record in keys.all():
        scopes = " ".join(scope for scope in SCOPES if scope in record.scopes)
        times = (_day(record.created_at), _day(record.expires_at))
        table.add_row(record.key_id, record.name, scopes, *times, _state(record, now))
    Console(width=None if sys.stdout.isatty() else 140).print(table)
    return 0


def _revoke(keys: ApiKeys, given: argparse.Namespace) -> int:
    key_id = given.key_id.partition("_")[0]  # never mind the secret of one given as a whole
    if not keys.revoke(key_id, time.time()):
        print(f"keys: expected the id of a key in force; got {key_id!r}", file=sys.stderr)
        return 1
    print(f"{key_id} is revoked; running services refuse it within {HOLD_SECONDS:g} s")
    return 0


def _state(record: KeyRecord, now: float) -> str:
    if record.revoked_at is not None:
        return f"revoked {_day(record.revoked_at)}"
    return "in force" if record.valid_at(now) else "expired"


def _day(seconds: float | None) -> str:
    return "–" if seconds is None else f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    acts = parser.add_subparsers(required=True, metavar="create|list|revoke")
    store = argparse.ArgumentParser(add_help=False)
    store.add_argument("--data-dir", type=Path, default=Path("data"), help="the service's")
    store.add_argument("--store-url", help="postgresql://user@host:5432/database, as the service's")
    create = acts.add_parser("create", parents=[store], help="make a key and print it, once")
    create.add_argument("--name", required=True, help="who it is for")
    create.add_argument("--scopes", required=True, nargs="+", choices=SCOPES)
    create.add_argument("--expires-days", type=float, metavar="DAYS", help="else never")
    create.set_defaults(act=_create, open=Store.at)
    listing = acts.add_parser("list", parents=[store], help="all keys, without secrets")
    listing.set_defaults(act=_list, open=Store.existing)
    revoke = acts.add_parser("revoke", parents=[store], help="refuse a key from now on")
    revoke.add_argument("key_id", metavar="ID", help="the part before the underscore")
    revoke.set_defaults(act=_revoke, open=Store.existing)
    return parser


if __name__ == "__main__":
    sys.exit(main())
