"""Edits of the config file while the service runs."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from ray.serve.schema import ServeDeploySchema

from serve_app.settings import SettingsError


class ConfigEdits:
    """Notices that the file has changed since it was first looked at, and reads it then.

    An editor may write a file in several steps, so a change counts once the file has stayed the
    same from one look to the next.
    """

    def __init__(self, path: Path, load: Callable[[], ServeDeploySchema]) -> None:
        self._path = path
        self._load = load
        self._taken = self._seen = self._content()
        self.in_service = load()

    def edited(self) -> ServeDeploySchema | None:
        """The edited config, once for each edit; None where there is none.

        Raises SettingsError where the edited file is wrong or changes what only a restart can; it
        is not read again until the next edit.
        """
        before, self._seen = self._seen, self._content()
        if self._seen is None or self._seen != before or self._seen == self._taken:
            return None
        self._taken = self._seen
        edited = self._load()
        _expect_same_service(self.in_service, edited)
        return edited

    def _content(self) -> bytes | None:
        """What stands in the file; None where it cannot be read just now."""
        try:
            return self._path.read_bytes()
        except OSError:
            return None


def _expect_same_service(running: ServeDeploySchema, edited: ServeDeploySchema) -> None:
    """Raise SettingsError where more has changed than the deployments' options.

    Shards and stores outlive replicas: with other settings old and new ones would stand side by
    side.
    """
    for name in ("proxy_location", "http_options"):
        _expect_same(name, getattr(running, name), getattr(edited, name))
    before, after = ({app.name: app for app in one.applications} for one in (running, edited))
    _expect_same("the applications", sorted(before), sorted(after))
    for name, application in before.items():
        for part in ("import_path", "route_prefix"):
            was, now = (getattr(one, part) for one in (application, after[name]))
            _expect_same(f"{part} of {name!r}", was, now)
        for setting, was in application.args.items():
            _expect_same(f"{setting!r} in args of {name!r}", was, after[name].args[setting])


def _expect_same(what: str, was: Any, now: Any) -> None:  # noqa: ANN401 - any part of a config
    if was != now:
        raise SettingsError(
            f"{what}: expected an edit of the options of deployments; anything else needs a "
            f"restart; it was {was}, got {now}"
        )
