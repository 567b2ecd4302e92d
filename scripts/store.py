"""Back up, restore, archive and check the store of a service, which may run meanwhile."""

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from serve_app.storage.backup import back_up
from serve_app.storage.errors import StoreError
from serve_app.storage.integrity import findings
from serve_app.storage.restore import restore
from serve_app.storage.retention import archive_ended
from serve_app.storage.store import Store

SECONDS_PER_DAY = 86_400


def main(arguments: Sequence[str] | None = None) -> int:
    """0 where it was done, 1 where the store is not sound, 2 on an error."""
    given = _parser().parse_args(arguments)
    try:
        store = given.open(given.data_dir, given.store_url, given.archive_dir)
        try:
            return int(given.act(store, given))
        finally:
            store.close()
    except (StoreError, ValueError) as error:
        print(f"store: {error}", file=sys.stderr)
        return 2


def _back_up(store: Store, given: argparse.Namespace) -> int:
    manifest = back_up(store, given.folder, tell=_tell)
    print(f"{given.folder} holds the store in {len(manifest.files)} files")
    return 0


def _restore(store: Store, given: argparse.Namespace) -> int:
    manifest = restore(store, given.folder, tell=_tell)
    print(f"the store is what it was at {manifest.made_at:%Y-%m-%d %H:%M:%S} UTC")
    return 0


def _archive(store: Store, given: argparse.Namespace) -> int:
    before = time.time() - given.older_than_days * SECONDS_PER_DAY
    files = archive_ended(store, before=before, tell=_tell)
    print(f"{len(files)} files went to {store.archive.folder}")
    return 0


def _check(store: Store, _: argparse.Namespace) -> int:
    found = findings(store)
    print("\n".join(found) or "the store is sound")
    return 1 if found else 0


def _tell(what: str) -> None:
    print(f"store: {what}", file=sys.stderr)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    acts = parser.add_subparsers(required=True, metavar="backup|restore|archive|check")
    store = argparse.ArgumentParser(add_help=False)
    store.add_argument("--data-dir", type=Path, default=Path("data"), help="the service's")
    store.add_argument("--store-url", help="postgresql://user@host:5432/database, as the service's")
    store.add_argument(
        "--archive-dir",
        type=Path,
        help="where this machine has the service's archive (default: archive in the data folder)",
    )
    backup = acts.add_parser("backup", parents=[store], help="copy the store to a new folder")
    backup.add_argument("folder", type=Path, metavar="FOLDER", help="made by this")
    backup.set_defaults(act=_back_up, open=Store.existing)
    back = acts.add_parser("restore", parents=[store], help="fill an empty store from a backup")
    back.add_argument("folder", type=Path, metavar="FOLDER", help="made by backup")
    back.set_defaults(act=_restore, open=Store.at)
    archive = acts.add_parser(
        "archive", parents=[store], help="move the journals of games long over to files"
    )
    archive.add_argument("--older-than-days", type=_days, required=True, metavar="DAYS")
    archive.set_defaults(act=_archive, open=Store.existing)
    check = acts.add_parser("check", parents=[store], help="look for damage and for missing rows")
    check.set_defaults(act=_check, open=Store.existing)
    return parser


def _days(text: str) -> int:
    days = int(text)
    if days < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number of days from 1; got {text}")
    return days


if __name__ == "__main__":
    sys.exit(main())
