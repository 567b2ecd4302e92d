import asyncio
import threading
from pathlib import Path

import pytest

from models.errors import BundleError
from serve_app.model.model_shelf import ModelShelf

A, B, C, BAD = map(Path, ("a", "b", "c", "bad"))


class Loader:
    """Counts what it loads; a loading waits until it `may` end."""

    def __init__(self) -> None:
        self.loaded: list[Path] = []
        self.may = threading.Event()
        self.may.set()

    def load(self, bundle: Path) -> str:
        self.loaded.append(bundle)
        assert self.may.wait(30)
        if bundle == BAD:
            raise BundleError("bad: expected a bundle")
        return f"model of {bundle}"


@pytest.fixture
def loader() -> Loader:
    return Loader()


@pytest.fixture
def shelf(loader: Loader) -> ModelShelf[str]:
    return ModelShelf(loader.load)


def test_a_model_is_loaded_once(shelf: ModelShelf[str], loader: Loader):
    assert [shelf.take(bundle) for bundle in (A, B, A)] == [
        "model of a",
        "model of b",
        "model of a",
    ]
    assert loader.loaded == [A, B]


def test_the_one_not_asked_for_longest_goes(shelf: ModelShelf[str], loader: Loader):
    for bundle in (A, B, A, C, A):
        shelf.take(bundle)
    assert loader.loaded == [A, B, C]
    shelf.take(B)
    assert loader.loaded == [A, B, C, B]


async def test_those_that_wait_for_one_bundle_share_its_loading(
    shelf: ModelShelf[str], loader: Loader
):
    loader.may.clear()
    waiting = [asyncio.create_task(shelf.fetch([A])) for _ in range(3)]
    await asyncio.sleep(0)
    # Meanwhile the process is free, also to answer from other bundles.
    assert not any(task.done() for task in waiting)
    loader.may.set()
    await asyncio.gather(*waiting)
    assert shelf.take(A) == "model of a"
    assert loader.loaded == [A]


async def test_a_bundle_that_does_not_load_leaves_the_others(
    shelf: ModelShelf[str], loader: Loader
):
    await shelf.fetch([A])
    with pytest.raises(BundleError):
        await shelf.fetch([BAD])
    await shelf.fetch([A, B])
    assert loader.loaded == [A, BAD, B]
