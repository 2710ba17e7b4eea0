"""The public page of a lot with a real journey, as a document over the API; the bound is one row by key from the same table."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from bench import data
from bench.limits import sql_rate
from bench.load import reads
from bench.site import Site
from bench.table import Row
from market.cli.migrations import import_models, sqlalchemy_url
from market.kernel import tenancy
from market.kernel.actor import system
from market.provenance import service
from market.provenance.rules.identifiers import IdHost
from market.reports.queries.lot_page import lot_page, page_bytes

LOTS = 100


def record(site: Site) -> list[str]:
    """Record harvests and what was washed from each, store their pages, and return the slugs of the washed lots."""
    import_models()
    engine = create_engine(sqlalchemy_url(site.database_url))
    host, who, slugs = IdHost(site.environ.get("ID_URL", "https://id.market.example")), system("bench"), []
    with tenancy.scoped(tenancy.EVERYTHING), Session(engine) as session:
        coop_id, producer_id = data.ident(0, 1), data.ident(0, 2)
        place = service.add_place(
            session, host=host, coop_id=coop_id, producer_id=producer_id, name="Finca", region="Huila", country="CO",
            latitude=Decimal("2.5"), longitude=Decimal("-75.5"),
        )  # fmt: skip
        common = {"actor": who, "host": host, "coop_id": coop_id, "producer_id": producer_id, "place_id": place.id}
        for number in range(LOTS):
            cherries = service.NewLot(f"Cherries {number}", Decimal(500), "KGM", date(2026, 10, 1))
            harvest = service.record_lot(session, **common, kind="harvest", new=cherries, zone="America/Bogota", now=data.NOW)
            washed = service.record_transformation(
                session, **common, process="washed", inputs=[(harvest.id, Decimal(480))], zone="America/Bogota", now=data.NOW,
                new=service.NewLot(f"Washed {number}", Decimal(90), "KGM", date(2026, 10, 9)),
            )  # fmt: skip
            document = page_bytes(lot_page(session, washed.id))
            service.store_page(session, lot_id=washed.id, slug=washed.slug, body=document, now=data.NOW)
            slugs.append(washed.slug)
        session.commit()
    engine.dispose()
    return slugs


def measure(site: Site) -> list[Row]:
    """Measure the pages of lots, each with two events, places and shares."""
    slugs = record(site)
    got = reads(site.url, [f"/api/v1/lots/{slug}" for slug in slugs], site.plan)
    bound = sql_rate(site.database_url, [f"SELECT body FROM lot_page WHERE slug = '{slug}'" for slug in slugs[:40]], site.plan)
    note = f"{got.wrong} wrong answers"
    return [
        Row(
            "public lot page",
            got.per_second,
            got.p50_ms,
            got.p99_ms,
            bound.per_second,
            f"row by key ({bound.by})",
            0.10,
            None,
            note,
        )
    ]
