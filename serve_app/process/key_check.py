"""Nobody gets in without a key, but on a machine of one's own: checked before anything starts."""

from serve_app.access.hosts import is_loopback
from serve_app.settings import SettingsError

HOW_TO_CREATE = "scripts/keys.py create --name NAME --scopes read ingest"


def expect_keys_where_others_reach(host: str, *, has_keys: bool) -> str:
    """What the operator is told of who may use a service that binds `host`.

    Raises SettingsError where others could reach a service that asks nobody for a key.
    """
    if has_keys:
        return "API keys are required; scripts/keys.py makes, lists and revokes them"
    if not is_loopback(host):
        raise SettingsError(
            f"http_options.host: expected an API key in the store before the service listens on "
            f"{host!r}, where others can reach it; got none. Make one: {HOW_TO_CREATE} "
            "(with the service's --data-dir or --store-url); or leave the host out"
        )
    return (
        "no API keys: listening on loopback only, open to everybody on this machine. "
        f"To ask for keys: {HOW_TO_CREATE}"
    )
