"""Is the process alive, is it ready, what has it done: for probes and monitoring."""

from flask import Blueprint, Response, current_app, jsonify
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from redis import Redis
from sqlalchemy import text

from market.http.auth import access
from market.http.db import reading

blueprint = Blueprint("system", __name__)


@blueprint.get("/healthz")
@access("public")
def healthz() -> Response:
    """Answer that the process serves requests."""
    return jsonify(status="ok")


@blueprint.get("/readyz")
@access("public")
def readyz() -> tuple[Response, int]:
    """Answer whether database and broker answer."""
    checks = {"database": _database(), "redis": _redis()}
    ready = all(checks.values())
    return jsonify(status="ok" if ready else "not ready", **checks), 200 if ready else 503


def _database() -> bool:
    try:
        with reading() as connection:
            return bool(connection.execute(text("SELECT 1")).scalar_one() == 1)
    except Exception:
        current_app.logger.exception("the database does not answer")
        return False


def _redis() -> bool:
    try:
        with Redis.from_url(current_app.extensions["settings"].redis_url, socket_timeout=2) as client:
            return bool(client.ping())
    except Exception:
        current_app.logger.exception("redis does not answer")
        return False


class _Backlogs:
    """Gauges read from the tables that somebody must work off."""

    def collect(self) -> list[GaugeMetricFamily]:
        """Return the gauges; one statement."""
        with reading() as connection:
            outbox, unfinished, inbox = connection.execute(
                text(
                    "SELECT (SELECT count(*) FROM outbox WHERE sent_at IS NULL), "
                    "(SELECT count(*) FROM outbox WHERE sent_at IS NOT NULL AND cardinality(awaits) > 0), "
                    "(SELECT count(*) FROM inbox WHERE handled_at IS NULL)"
                )
            ).one()
        return [
            GaugeMetricFamily("market_outbox_waiting", "announced facts not yet handed to the broker", outbox),
            GaugeMetricFamily("market_outbox_unfinished", "announced facts whose tasks are not done yet", unfinished),
            GaugeMetricFamily("market_inbox_waiting", "outside events not yet handled", inbox),
        ]


@blueprint.get("/metrics")
@access("public")
def metrics() -> Response:
    """Answer with the gauges in Prometheus' text form."""
    registry = CollectorRegistry()
    registry.register(_Backlogs())  # type: ignore[arg-type]
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)
