import re
from dataclasses import replace

import pytest

from serve_app.access.keys import KEY_FORM, matches, new_key, presented, secret_hash

NOW = 1_700_000_000.0


def test_a_key_has_the_form_that_scanners_look_for_and_comes_apart_again():
    made = new_key("scraper", ["read", "ingest"], now=NOW)
    assert re.fullmatch(KEY_FORM, made.text)
    key = presented(made.text)
    assert key is not None
    assert key.key_id == made.record.key_id
    assert matches(made.record, key)
    assert made.record.scopes == {"read", "ingest"}


def test_no_two_keys_are_alike():
    texts = {new_key("x", ["read"], now=NOW).text for _ in range(50)}
    assert len({text.partition("_")[0] for text in texts}) == 50


def test_neither_secret_nor_hash_shows_where_a_key_is_printed():
    made = new_key("scraper", ["read"], now=NOW)
    secret = made.text.partition("_")[2]
    shown = f"{made!r} {made.record!r} {presented(made.text)!r}"
    assert made.record.key_id in shown
    assert secret not in shown
    assert secret_hash(secret) not in shown


def test_another_secret_or_no_record_does_not_match():
    made, other = (new_key("x", ["read"], now=NOW) for _ in range(2))
    key = presented(made.text)
    assert key is not None
    assert not matches(other.record, key)
    assert not matches(None, key)
    # Not even the placeholder that is compared with where there is no record.
    assert not matches(replace(made.record, secret_hash="0" * 64), key)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "htf",
        "secret",
        "htfabcdefghijkl_",
        "htfabcdefghijkl_short",
        "xyzabcdefghijkl_" + "a" * 43,
        "htfABCDEFGHIJKL_" + "a" * 43,
        "htfabcdefghijkl_" + "a" * 44,
        "htfabcdefghijkl_" + "a" * 43 + "\n",
        "htfabcdefghijkl_" + "é" * 43,
    ],
)
def test_what_has_not_the_form_is_no_key(text: str):
    assert presented(text) is None


def test_a_key_is_good_until_it_expires_or_is_revoked():
    record = new_key("x", ["read"], now=NOW, expires_at=NOW + 10).record
    assert record.valid_at(NOW + 9.9)
    assert not record.valid_at(NOW + 10)
    assert not replace(record, revoked_at=NOW).valid_at(NOW + 1)


@pytest.mark.parametrize(
    ("name", "scopes", "expires_at", "message"),
    [
        ("", ["read"], None, "name: expected 1 to 80"),
        ("a\nb", ["read"], None, "printable"),
        ("x", [], None, "scopes: expected some of read, ingest, admin; got"),
        ("x", ["write"], None, "got .*write"),
        ("x", ["read", "write"], None, "got .*write"),
        ("x", ["read"], NOW, "in the future"),
        ("x", ["read"], float("nan"), "in the future"),
    ],
)
def test_a_wrong_key_is_refused(
    name: str, scopes: list[str], expires_at: float | None, message: str
):
    with pytest.raises(ValueError, match=message):
        new_key(name, scopes, now=NOW, expires_at=expires_at)
