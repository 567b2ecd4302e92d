import pytest

from serve_app.process.key_check import expect_keys_where_others_reach
from serve_app.settings import SettingsError


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_without_keys_the_service_stays_on_loopback_and_says_so(host: str):
    said = expect_keys_where_others_reach(host, has_keys=False)
    assert "loopback only" in said
    assert "scripts/keys.py create" in said


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "scores.example.com"])  # noqa: S104
def test_without_keys_no_other_address_is_bound(host: str):
    with pytest.raises(SettingsError, match="scripts/keys") as refused:
        expect_keys_where_others_reach(host, has_keys=False)
    assert repr(host) in str(refused.value)


@pytest.mark.parametrize("host", ["0.0.0.0", "127.0.0.1"])  # noqa: S104
def test_with_keys_any_address_may_be_bound(host: str):
    assert "required" in expect_keys_where_others_reach(host, has_keys=True)
