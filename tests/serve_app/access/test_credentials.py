import pytest
from starlette.datastructures import Headers

from serve_app.access.credentials import expect_no_key, header_key
from serve_app.access.keys import new_key
from serve_app.api.problems import MisplacedKey, Unauthorized

KEY = new_key("x", ["read"], now=0.0).text
OTHER = new_key("y", ["read"], now=0.0).text


def headers(*pairs: tuple[str, str]) -> Headers:
    return Headers(raw=[(name.encode(), value.encode()) for name, value in pairs])


def with_key(text: str) -> str:
    """The text with the key put in: in the name of a test it would change with each run."""
    return text.format(key=KEY, quoted=KEY.replace("_", "%5F"), prefix=KEY.partition("_")[0])


@pytest.mark.parametrize(
    "given",
    [
        headers(("authorization", f"Bearer {KEY}")),
        headers(("authorization", f"bearer  {KEY} ")),
        headers(("x-api-key", KEY)),
        headers(("x-api-key", KEY), ("authorization", f"Bearer {KEY}")),
    ],
)
def test_either_header_carries_the_key(given: Headers):
    assert header_key(given) == KEY


def test_without_a_header_there_is_no_key():
    assert header_key(headers()) is None


@pytest.mark.parametrize(
    "given",
    [
        headers(("x-api-key", KEY), ("authorization", f"Bearer {OTHER}")),
        headers(("x-api-key", KEY), ("x-api-key", OTHER)),
        headers(("authorization", f"Bearer {KEY}"), ("authorization", f"Bearer {OTHER}")),
    ],
)
def test_keys_that_differ_are_refused_and_not_told(given: Headers):
    with pytest.raises(MisplacedKey, match="several") as refused:
        header_key(given)
    assert KEY not in refused.value.detail


def test_another_kind_of_authorization_is_refused():
    with pytest.raises(Unauthorized, match="Bearer KEY"):
        header_key(headers(("authorization", "Basic dXNlcjpwYXNz")))


@pytest.mark.parametrize(
    "query",
    [
        "api_key={key}",
        "api_key=anything",
        "API-Key=anything",
        "limit=1&token=anything",
        "access_token=anything",
        "ticket=anything",
        "api%5Fkey=anything",
        "since={key}",
        "since={quoted}",
        "{key}",
    ],
)
def test_a_key_in_the_url_is_refused_and_not_told(query: str):
    with pytest.raises(MisplacedKey, match="Authorization: Bearer") as refused:
        expect_no_key("/games", with_key(query).encode())
    assert "anything" not in refused.value.detail
    assert KEY not in refused.value.detail


@pytest.mark.parametrize("query", ["", "limit=5&since=17", "x=%ff", "&&=", "horizon=final"])
def test_other_queries_pass(query: str):
    expect_no_key("/games", query.encode())


@pytest.mark.parametrize("path", ["/games/{key}", "/{key}/games", "{key}", "/games/x{key}y"])
def test_a_key_in_the_path_is_refused_and_not_told(path: str):
    with pytest.raises(MisplacedKey, match="Authorization: Bearer") as refused:
        expect_no_key(with_key(path), b"")
    assert KEY not in refused.value.detail


@pytest.mark.parametrize("path", ["", "/", "/games/token", "/games/{prefix}"])
def test_other_paths_pass(path: str):
    expect_no_key(with_key(path), b"")
