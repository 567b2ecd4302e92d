from collections.abc import Callable
from pathlib import Path

import pytest

from scripts import store as script
from serve_app.storage.database import FILE_NAME
from serve_app.storage.schema import journal
from serve_app.storage.store import Store
from tests.serve_app.storage.conftest import contents, night

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(store: Store, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Runs a command on the store with a night in it."""
    night(store)

    def run(*arguments: str, data_dir: Path = tmp_path / "data") -> tuple[int, str, str]:
        status = script.main([*arguments, "--data-dir", str(data_dir)])
        said = capsys.readouterr()
        return status, said.out, said.err

    return run


def test_a_store_is_backed_up_checked_and_restored(run: Run, store: Store, tmp_path: Path):
    folder = str(tmp_path / "backup")
    status, out, err = run("backup", folder)
    assert (status, out) == (0, f"{folder} holds the store in 8 files\n")
    assert "store: games: 3 rows\n" in err
    status, out, _ = run("restore", folder, data_dir=tmp_path / "other")
    assert status == 0
    assert out.startswith("the store is what it was at 20")
    other = Store.at(tmp_path / "other")
    assert contents(other) == contents(store)
    other.close()
    assert run("check", data_dir=tmp_path / "other") == (0, "the store is sound\n", "")


def test_a_password_in_the_arguments_is_refused(run: Run):
    status, out, err = run("check", "--store-url", "postgresql://me:pass-word@somewhere/games")
    assert (status, out) == (2, "")
    assert "PGPASSWORD" in err
    assert "pass-word" not in err


def test_what_is_not_sound_is_said_with_status_1(run: Run, store: Store):
    with store.database.writing() as connection:
        connection.execute(journal.delete().where(journal.c.type == "prediction"))
    status, out, _ = run("check")
    assert status == 1
    assert len(out.splitlines()) == 3


def test_only_games_that_ended_so_many_days_ago_are_archived(run: Run, tmp_path: Path):
    elsewhere = tmp_path / "shared"
    status, out, _ = run("archive", "--older-than-days", "1", "--archive-dir", str(elsewhere))
    assert (status, out) == (0, f"0 files went to {elsewhere}\n")


def test_a_wrong_command_says_what_was_expected(run: Run, tmp_path: Path):
    folder = str(tmp_path / "backup")
    for act in (["backup", folder], ["check"], ["archive", "--older-than-days", "1"]):
        status, out, err = run(*act, data_dir=tmp_path / "nowhere")
        assert (status, out) == (2, "")
        assert f"expected the service's data folder with {FILE_NAME}" in err
    assert not (tmp_path / "nowhere").exists()
    status, _, err = run("restore", folder, data_dir=tmp_path / "nowhere")
    assert status == 2
    assert "expected the manifest of a backup" in err
    assert not (tmp_path / "nowhere").exists()
    run("backup", folder)
    for command in ("backup", "restore"):
        status, _, err = run(command, folder)
        assert (status, "expected a" in err) == (2, True)


def test_days_are_whole_and_from_1(run: Run, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit, match="2"):
        run("archive", "--older-than-days", "0")
    assert "expected a whole number of days from 1; got 0" in capsys.readouterr().err
