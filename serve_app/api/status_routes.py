"""The routes that tell of the service itself: alive, able to predict, what is in service."""

import asyncio
import secrets

from fastapi import FastAPI

from models.game.league import NBA
from serve_app.live.live_service import LiveService
from serve_app.model.served_model import ServedModel
from serve_app.schemas import Health, Models, PredictRequest, Ready
from serve_app.settings import Settings


def add_status_routes(
    api: FastAPI, settings: Settings, service: LiveService, model: ServedModel
) -> None:
    """Add them to the application."""
    instance = secrets.token_hex(4)

    @api.get("/health")
    async def health() -> Health:
        """The process answers."""
        return Health()

    @api.get("/ready")
    async def ready() -> Ready:
        """Able to predict: every shard has just made a forecast, and so has this replica."""
        level = PredictRequest(pattern=[0.0] * NBA.pattern_minutes)
        shards, _ = await asyncio.gather(service.shards.ready(), service.predict([level]))
        return Ready(
            status="ready",
            instance=instance,
            model_version=model.bundle.model_version,
            shards=shards,
            placement=settings.placement,
        )

    @api.get("/models")
    async def models() -> Models:
        """What is in service, and what it has seen."""
        bundle, form = model.bundle, model.adaptation.before(None)
        return Models(
            model_version=bundle.model_version,
            calibration_version=form.version,
            learned_games=form.games,
            ratings_day=form.strength.day,
            trained_before=bundle.split.before,
            train_seasons=list(bundle.split.train),
            weights_seasons=list(bundle.split.weights),
            calibration_seasons=list(bundle.split.calibration),
            dejavu_weight=bundle.ensemble.dejavu_weight,
            lstm_weight=bundle.ensemble.lstm_weight,
            library_games=len(bundle.library.games),
            placement=settings.placement,
        )
