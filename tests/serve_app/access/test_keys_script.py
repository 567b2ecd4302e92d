import re
from collections.abc import Callable
from pathlib import Path

import pytest

from scripts import keys as script
from serve_app.access.keys import KEY_FORM, matches, presented
from serve_app.storage.api_keys import ApiKeys
from serve_app.storage.store import Store

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*arguments: str) -> tuple[int, str, str]:
        status = script.main([*arguments, "--data-dir", str(tmp_path)])
        said = capsys.readouterr()
        return status, said.out, said.err

    return run


def test_a_key_is_printed_once_and_alone(run: Run, tmp_path: Path):
    status, out, err = run("create", "--name", "scraper", "--scopes", "read", "ingest")
    text = out.removesuffix("\n")
    assert status == 0
    assert re.fullmatch(KEY_FORM, text)
    secret = text.partition("_")[2]
    assert secret not in err
    store = Store.at(tmp_path)
    (record,) = ApiKeys(store.database).all()
    store.close()
    key = presented(text)
    assert key is not None
    assert matches(record, key)
    assert record.scopes == {"read", "ingest"}
    assert record.expires_at is None
    on_disk = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert record.key_id.encode() in on_disk
    assert secret.encode() not in on_disk
    _, listed, _ = run("list")
    assert record.key_id in listed
    assert secret not in listed


def test_a_revoked_key_is_listed_as_such(run: Run):
    _, out, _ = run("create", "--name", "page", "--scopes", "read", "--expires-days", "3")
    key_id = out.partition("_")[0]
    assert "in force" in run("list")[1]
    # The whole key does as well, and its secret is told to nobody.
    status, said, _ = run("revoke", out.strip())
    assert (status, key_id in said) == (0, True)
    assert out.strip().partition("_")[2] not in said
    assert "revoked" in run("list")[1]
    status, _, err = run("revoke", key_id)
    assert status == 1
    assert "a key in force" in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--name", "", "--scopes", "read"], "name: expected"),
        (["--name", "x", "--scopes", "read", "--expires-days", "-1"], "in the future"),
        (["--name", "x", "--scopes", "read", "--store-url", "mysql://x"], "expected postgresql"),
        (
            ["--name", "x", "--scopes", "read", "--store-url", "postgresql://me:secret@x/games"],
            "PGPASSWORD",
        ),
    ],
)
def test_a_wrong_command_says_what_is_allowed(run: Run, arguments: list[str], message: str):
    status, out, err = run("create", *arguments)
    assert (status, out) == (2, "")
    assert message in err
    assert "secret" not in err


def test_a_key_in_a_new_store_is_told_of_loudly_and_only_then(run: Run, tmp_path: Path):
    loudly = f"WARNING: a new store was made in {tmp_path}"
    assert loudly in run("create", "--name", "x", "--scopes", "read")[2]
    assert "WARNING" not in run("create", "--name", "y", "--scopes", "read")[2]


@pytest.mark.parametrize("arguments", [["list"], ["revoke", "htfaaaaaaaaaaaa"]])
def test_what_looks_at_keys_makes_no_store(run: Run, tmp_path: Path, arguments: list[str]):
    status, out, err = run(*arguments)
    assert (status, out) == (2, "")
    assert f"{tmp_path}: expected the service's data folder" in err
    assert list(tmp_path.iterdir()) == []
