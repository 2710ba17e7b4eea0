"""Two approvers at the same moment: a table is taken over once, a row activated once. Real commits on an own clone."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, func, select
from sqlalchemy.orm import Session

import market.pricing
from market.http.db import engine_options
from market.kernel import tenancy
from market.kernel.errors import DomainError
from market.pricing import service
from market.pricing.models import PriceReference
from market.pricing.rules.tables import FileFacts
from tests.conftest import NOW, settings_for
from tests.factories.prices import APPROVES, ENTERS, make_reference

SEED = (Path(market.pricing.__file__).parent / "seed" / "fair_price_references.csv").read_bytes()


@pytest.fixture
def engine(servers, make_database) -> Iterator[Engine]:
    options = engine_options(settings_for(make_database("prices"), servers["REDIS_URL"]))
    engine = create_engine(options.pop("url"), **options)
    yield engine
    engine.dispose()


def committed(engine: Engine, act):
    with tenancy.scoped(tenancy.EVERYTHING), Session(engine) as session, session.begin():
        return act(session)


def both(engine: Engine, *acts) -> Counter:
    def run(act) -> str:
        try:
            return str(committed(engine, act))
        except DomainError as refusal:
            return refusal.code

    with ThreadPoolExecutor(len(acts)) as pool:
        return Counter(pool.map(run, acts))


def read(engine: Engine):
    facts = FileFacts("project_seed_v1", "fairtrade", "shipped table")
    take = {"data": SEED, "facts": facts, "actor": ENTERS, "now": NOW, "on": NOW.date()}
    return committed(engine, lambda session: service.import_prices(session, **take)).batch_id


def approval(batch_id):
    return lambda session: len(service.approve_import(session, batch_id=batch_id, actor=APPROVES, now=NOW))


def test_one_import_is_taken_over_once(engine: Engine) -> None:
    batch = read(engine)
    assert both(engine, *[approval(batch)] * 4) == {"65": 1, "import_batch_closed": 3}


def test_two_imports_of_one_file_give_its_rows_once(engine: Engine) -> None:
    found = both(engine, approval(read(engine)), approval(read(engine)))
    assert found == {"65": 1, "0": 1}
    assert committed(engine, lambda session: session.scalar(select(func.count()).select_from(PriceReference))) == 65


def test_one_key_is_activated_once(engine: Engine) -> None:
    waiting = {"status": "needs_review", "approved_by": None, "approved_at": None}
    ids = [committed(engine, lambda session: make_reference(session, **waiting).id) for _ in range(2)]
    acts = [lambda s, i=i: service.approve_reference(s, reference_id=i, actor=APPROVES, now=NOW).status for i in ids]
    assert both(engine, *acts) == {"active": 1, "price_reference_not_ready": 1}
