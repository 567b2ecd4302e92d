"""The shelf of a replica: the models of the bundles that it was asked for last."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Generic, TypeVar

ModelT = TypeVar("ModelT")

HELD = 2  # the bundle in service, and the one that comes or goes


class ModelShelf(Generic[ModelT]):
    """Loads a model when a bundle is first asked for; the one not asked for longest goes."""

    def __init__(self, load: Callable[[Path], ModelT], held: int = HELD) -> None:
        self._load = load
        self._held = held
        self._models: OrderedDict[Path, ModelT] = OrderedDict()
        self._loading = asyncio.Lock()

    def __contains__(self, bundle: Path) -> bool:
        return bundle in self._models

    async def fetch(self, bundles: Iterable[Path]) -> None:
        """Load what is not there yet, beside whatever else this process has to do.

        Raises BundleError where one cannot be loaded; the others stay as they are.
        """
        for bundle in bundles:
            if bundle in self._models:
                continue
            async with self._loading:
                if bundle not in self._models:
                    self._put(bundle, await asyncio.to_thread(self._load, bundle))

    def take(self, bundle: Path) -> ModelT:
        """The model of the bundle in this folder; raises BundleError where it cannot be loaded."""
        if bundle not in self._models:
            self._put(bundle, self._load(bundle))
        self._models.move_to_end(bundle)
        return self._models[bundle]

    def _put(self, bundle: Path, model: ModelT) -> None:
        self._models[bundle] = model
        while len(self._models) > self._held:
            self._models.popitem(last=False)
