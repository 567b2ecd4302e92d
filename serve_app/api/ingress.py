"""The HTTP application: the routes of all rooms behind the limits that guard them."""

from importlib.metadata import version

from fastapi import FastAPI

from serve_app.access.access import Access
from serve_app.access.guarded_api import GuardedAPI
from serve_app.access.ticket_route import add_ticket_route
from serve_app.api.absent_feed_routes import add_absent_feed_routes
from serve_app.api.description import ANYWHERE, problems
from serve_app.api.forecast_routes import add_forecast_routes
from serve_app.api.game_course_routes import add_game_course_routes
from serve_app.api.game_routes import add_game_routes
from serve_app.api.http_limits import Admission, BodyLimit, TimeLimit
from serve_app.api.log_routes import add_log_routes
from serve_app.api.page_routes import add_page_routes
from serve_app.api.problem_answers import answer_problems
from serve_app.api.score_routes import add_score_routes
from serve_app.api.status_routes import add_status_routes
from serve_app.api.system_routes import AsksSystem, add_system_routes, no_system
from serve_app.api.webhook_routes import add_webhook_routes
from serve_app.live.live_service import LiveService
from serve_app.model.served_model import ServedModel
from serve_app.settings import Settings
from serve_app.storage.store import Store

VERSION = version("halftime-forecaster")


def build_api(
    settings: Settings,
    service: LiveService,
    store: Store,
    model: ServedModel,
    access: Access | None = None,
    *,
    system: AsksSystem = no_system,
) -> FastAPI:
    """The HTTP application over one service; nothing guards it without `access`."""
    api = GuardedAPI(
        access=access,
        docs_url=None,
        redoc_url=None,
        title="Halftime forecaster",
        description="Live NBA halftime forecasts with calibrated intervals.",
        version=VERSION,
        responses=problems(*ANYWHERE),
        generate_unique_id_function=lambda route: route.name,
    )
    api.add_middleware(
        BodyLimit, max_bytes=settings.max_body_bytes, max_held_bytes=settings.max_held_body_bytes
    )
    api.add_middleware(Admission, max_requests=settings.max_requests_in_flight)
    # Outermost, so that a body which never comes is under it too.
    api.add_middleware(TimeLimit, seconds=settings.request_timeout_seconds)
    answer_problems(api)
    add_forecast_routes(api, settings, service)
    add_game_routes(api, service, store)
    add_game_course_routes(api, settings, service, store, model)
    add_score_routes(api, settings, service)
    add_log_routes(api, store, model)
    add_status_routes(api, settings, service, model)
    add_webhook_routes(api, settings, store)
    add_system_routes(api, system)
    add_page_routes(api)
    add_absent_feed_routes(api)
    if access is not None:
        add_ticket_route(api, access.tickets)
    return api
