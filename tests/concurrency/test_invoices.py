"""Numbers of one series under many hands at once, some of which give up: no gap, none twice."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine, create_engine, select
from sqlalchemy.orm import Session

from market.http.db import engine_options
from market.invoices import service
from market.invoices.models import Invoice
from market.invoices.queries import check
from market.kernel import tenancy
from tests.conftest import NOW, settings_for
from tests.factories.catalogue import make_listing
from tests.factories.orders import paid_order
from tests.factories.producers import make_producer


@pytest.fixture(scope="module")
def engine(servers, make_database) -> Iterator[Engine]:
    options = engine_options(settings_for(make_database("invoices"), servers["REDIS_URL"]))
    engine = create_engine(options.pop("url"), **(options | {"pool_size": 20}))
    yield engine
    engine.dispose()


class GaveUpError(Exception):
    """The unit of work is rolled back."""


def test_numbers_have_no_gaps_when_many_issue_at_once_and_some_give_up(engine: Engine) -> None:
    with tenancy.scoped(tenancy.EVERYTHING), Session(engine) as session, session.begin():
        producer = make_producer(session)
        listing = make_listing(session, producer=producer)
        coop_id, orders = producer.coop_id, [paid_order(session, listing, quantity=1).order_id for _ in range(12)]

    def issue(turn: int) -> None:
        with tenancy.scoped(tenancy.EVERYTHING), Session(engine) as session, session.begin():
            service.issue_invoice(session, order_id=orders[turn % 12], coop_id=coop_id, now=NOW)
            if turn < 6:
                raise GaveUpError

    with ThreadPoolExecutor(8) as pool:
        ends = [task.exception() for task in [pool.submit(issue, turn) for turn in range(36)]]
    assert [type(end) for end in ends] == [GaveUpError] * 6 + [type(None)] * 30
    with tenancy.scoped(tenancy.EVERYTHING), Session(engine) as session:
        assert sorted(session.scalars(select(Invoice.number))) == list(range(1, 13))
        assert len(set(session.scalars(select(Invoice.order_id)))) == 12
        assert check(session) == []
