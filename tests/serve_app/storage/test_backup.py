import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count, pairwise
from pathlib import Path

import pytest

from serve_app.shards.shard_messages import Applied
from serve_app.storage.archive import FOLDER_NAME
from serve_app.storage.backup import TABLES, BackupFile, Manifest, back_up
from serve_app.storage.errors import BackupError
from serve_app.storage.restore import JOURNAL_GAP, restore
from serve_app.storage.retention import archive_ended
from serve_app.storage.schema import predictions
from serve_app.storage.store import Store
from serve_app.storage.table_file import read_pages, write_rows
from tests.serve_app.conftest import registration, update
from tests.serve_app.storage.conftest import LATER, NewStore, contents, night, play, shard_on

Doctor = Callable[[Path], object]
KINDS = ("sqlite", "postgresql")


@pytest.fixture
def backup(tmp_path: Path, new_store: NewStore) -> Path:
    """A backup of an embedded store, one game of which is archived."""
    source = new_store("sqlite")
    night(source)
    archive_ended(source, before=LATER)
    back_up(source, tmp_path / "backup")
    return tmp_path / "backup"


@pytest.mark.parametrize("kind", KINDS)
def test_a_restored_store_says_the_same_and_a_shard_goes_on(
    kind: str, new_store: NewStore, tmp_path: Path
):
    first, second = new_store(kind), new_store(kind)
    shard = night(first)
    back_up(first, tmp_path / "backup")
    restore(second, tmp_path / "backup")
    assert contents(second) == contents(first)
    back = shard_on(second)
    assert [back.game(name) for name in ("g1", "g2", "live")] == [
        shard.game(name) for name in ("g1", "g2", "live")
    ]
    last = second.journal.last_seq()
    (repeat, new) = back.apply([update(1200, 20, game_id="live"), update(1260, 25, game_id="live")])
    assert isinstance(repeat, Applied)
    assert isinstance(new, Applied)
    assert (repeat.result.duplicate, new.result.duplicate) == (True, False)
    assert [row.seq for row in second.journal.after(last, 10)] == [last + JOURNAL_GAP + 1]
    play(back, "another")
    ids = [number for number, _ in second.predictions.page(0, 10)]
    assert ids == [1, 2, 3, 4]


def test_a_store_may_move_to_the_other_database_and_back(new_store: NewStore, tmp_path: Path):
    stores = [new_store(kind) for kind in ("sqlite", "postgresql", "sqlite")]
    night(stores[0])
    archive_ended(stores[0], before=LATER)
    for step, (source, target) in enumerate(pairwise(stores)):
        back_up(source, tmp_path / f"backup-{step}")
        restore(target, tmp_path / f"backup-{step}")
    assert contents(stores[2]) == contents(stores[1]) == contents(stores[0])
    assert contents(stores[0])["games"] != []
    assert shard_on(stores[2]).game("g1") == shard_on(stores[0]).game("g1")
    files = [
        {path.name: path.read_bytes() for path in store.archive.folder.iterdir()}
        for store in stores
    ]
    assert files[0] == files[1] == files[2]
    assert len(files[0]) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_written_meanwhile_is_left_out_as_a_whole(
    kind: str, new_store: NewStore, tmp_path: Path
):
    source, target = new_store(kind), new_store(kind)
    shard = night(source)
    before = contents(source)
    numbers = count()

    def write_a_game(_: str) -> None:
        """After each table another thread commits a game with all that belongs to it."""
        with ThreadPoolExecutor(1) as pool:
            pool.submit(play, shard, f"new-{next(numbers)}").result()

    back_up(source, tmp_path / "backup", tell=write_a_game)
    assert len(source.games.newest(100)) == 3 + len(TABLES)
    restore(target, tmp_path / "backup")
    assert contents(target) == before


def test_the_manifest_says_what_is_there_and_no_ticket_is(backup: Path):
    manifest = Manifest.read(backup)
    assert (manifest.revision, manifest.database) == ("0003", "sqlite")
    assert {name: file.rows for name, file in manifest.files.items()} == {
        "api_keys.parquet": 1,
        "cursors.parquet": 1,
        "archive/journal-2024-01-05-1.parquet": 202,
        "games.parquet": 3,
        "journal.parquet": 43,
        "learned_games.parquet": 1,
        "predictions.parquet": 3,
        "webhook_deliveries.parquet": 6,
        "webhooks.parquet": 1,
    }
    on_disk = {str(path.relative_to(backup)) for path in backup.rglob("*") if path.is_file()}
    assert on_disk == {*manifest.files, "manifest.json"}
    assert backup.stat().st_mode & 0o077 == 0


def doctor_bytes(backup: Path) -> None:
    path = backup / "journal.parquet"
    content = bytearray(path.read_bytes())
    content[100] ^= 1
    path.write_bytes(content)


def doctor_archive(backup: Path) -> None:
    (path,) = (backup / FOLDER_NAME).iterdir()
    path.write_bytes(path.read_bytes()[:-1])


def edit_manifest(backup: Path, **changes: object) -> None:
    path = backup / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def doctor_count(backup: Path) -> None:
    files = json.loads((backup / "manifest.json").read_text())["files"]
    files["games.parquet"]["rows"] += 1
    edit_manifest(backup, files=files)


def doctor_names(backup: Path) -> None:
    files = json.loads((backup / "manifest.json").read_text())["files"]
    edit_manifest(backup, files={**files, "../games.parquet": files["games.parquet"]})


def say_all_is_well(backup: Path) -> None:
    """Have the manifest say what the predictions, the last table, now come to."""
    files = json.loads((backup / "manifest.json").read_text())["files"]
    path = backup / "predictions.parquet"
    edit_manifest(backup, files={**files, path.name: BackupFile.of(path).model_dump()})


def other_columns(backup: Path) -> None:
    (backup / "predictions.parquet").write_bytes((backup / "games.parquet").read_bytes())


def doubled_rows(backup: Path) -> None:
    path = backup / "predictions.parquet"
    rows = [tuple(row.values()) for page in read_pages(path, predictions) for row in page]
    path.unlink()
    write_rows(path, predictions, [rows, rows])


@pytest.mark.parametrize(
    ("doctor", "message"),
    [
        (doctor_bytes, r"journal\.parquet: expected 43 rows and SHA-256 .* as the manifest says"),
        (doctor_archive, r"expected a file of the backup in .*journal-2024-01-05-1"),
        (doctor_count, r"games\.parquet: expected 4 rows .* got 3 rows"),
        (doctor_names, r"expected the manifest to list api_keys\.parquet, .* got \.\./games"),
        (lambda backup: (backup / "games.parquet").unlink(), r"a file of the backup in .*games"),
        (lambda backup: (backup / "manifest.json").unlink(), r"expected the manifest of a backup"),
        (lambda backup: edit_manifest(backup, format=2), r"expected the manifest of a backup"),
        (
            lambda backup: edit_manifest(backup, revision="0001", service="0.0.9"),
            r"revision 0003 of the tables; got 0001, made by version 0\.0\.9",
        ),
    ],
)
@pytest.mark.parametrize("kind", KINDS)
def test_a_doctored_backup_is_refused_and_nothing_restored(
    kind: str, doctor: Doctor, message: str, backup: Path, new_store: NewStore
):
    doctor(backup)
    target = new_store(kind)
    with pytest.raises(BackupError, match=message):
        restore(target, backup)
    assert not any(contents(target).values())
    assert not target.archive.folder.exists()


@pytest.mark.parametrize(
    ("doctor", "message"),
    [
        (other_columns, r"expected the columns \['id', .* got \['game_id', "),
        (doubled_rows, r"cannot be restored: .*expected a new row"),
    ],
)
@pytest.mark.parametrize("kind", KINDS)
def test_rows_that_do_not_fit_leave_nothing_behind(
    kind: str, doctor: Doctor, message: str, backup: Path, new_store: NewStore
):
    doctor(backup)
    say_all_is_well(backup)
    target = new_store(kind)
    filled: list[str] = []
    with pytest.raises(BackupError, match=message):
        restore(target, backup, tell=filled.append)
    assert "games: 3 rows" in filled
    assert not any(contents(target).values())


@pytest.mark.parametrize("kind", KINDS)
def test_a_store_that_is_not_empty_is_left_alone(kind: str, backup: Path, new_store: NewStore):
    target = new_store(kind)
    with target.writing():
        target.games.add(registration("mine"))
    before = contents(target)
    with pytest.raises(BackupError, match="got 1 rows in games"):
        restore(target, backup)
    assert contents(target) == before
    assert not target.archive.folder.exists()


def test_an_archived_journal_of_the_same_name_is_never_replaced(backup: Path, store: Store):
    store.archive.folder.mkdir(parents=True)
    (name,) = (path.name for path in (backup / FOLDER_NAME).iterdir())
    own = store.archive.folder / name
    own.write_bytes((backup / "games.parquet").read_bytes())
    with pytest.raises(BackupError, match="expected no file there, or the one of the backup"):
        restore(store, backup)
    assert own.read_bytes() == (backup / "games.parquet").read_bytes()
    own.write_bytes((backup / FOLDER_NAME / name).read_bytes())
    restore(store, backup)
    assert shard_on(store).game("g1").updates == 97


def test_a_backup_that_fails_leaves_no_folder(store: Store, tmp_path: Path):
    night(store)
    (tmp_path / "there").mkdir()
    with pytest.raises(BackupError, match="not there yet"):
        back_up(store, tmp_path / "there")

    def fail(_: str) -> None:
        raise OSError("no space left on device")

    with pytest.raises(BackupError, match="cannot be written: no space left"):
        back_up(store, tmp_path / "backup", tell=fail)
    archive_ended(store, before=LATER)
    for path in store.archive.folder.iterdir():
        path.unlink()
    with pytest.raises(BackupError, match=r"journal-2024-01-05-1\.parquet"):
        back_up(store, tmp_path / "backup")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "there"]
