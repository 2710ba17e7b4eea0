"""Nobody is paid twice and nobody is forgotten, whatever dies (law 5, money.md 6.4).

The rail's own effect log is the oracle: our tables would say in every run that all is well. The same run with a new key
per attempt must pay people twice, or this test proves nothing. `FAULTS=long` runs the size of `make faults`.
"""

import json
import os
import subprocess
import sys
from collections import Counter
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session

from market.cli import migrations
from market.kernel import tenancy
from market.ledger import queries as books
from market.payouts import queries
from tests.conftest import ROOT
from tests.factories.payouts import approved_run, owe
from tests.factories.producers import make_coop, make_payee_account, make_producer

pytestmark = pytest.mark.faults
PAYOUTS, LEAST_DEATHS = (1000, 200) if os.environ.get("FAULTS") == "long" else (60, 20)
NAIVE = 30


@contextmanager
def rail(log: Path, seed: int):
    command = [sys.executable, "-m", "tests.faults.rail_server", str(log), str(seed)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            yield int(server.stdout.readline())
        finally:
            server.kill()


@pytest.fixture
def engine(make_database, request):
    """An engine over a database of its own with a co-op that owes many producers."""
    migrations.import_models()
    engine = create_engine(migrations.sqlalchemy_url(make_database(f"faults_{request.node.name[-5:]}".lower().strip("[]"))))
    with Session(engine) as session, tenancy.scoped(tenancy.EVERYTHING):
        coop = make_coop(session)
        for n in range(NAIVE if "twice" in request.node.name else PAYOUTS):
            producer = make_producer(session, coop=coop)
            make_payee_account(session, producer=producer, rail="stripe", iban=None, bic=None, stripe_account=f"acct_{n}")
            owe(session, producer, 100 + n)
        approved_run(session, coop.id)
        session.commit()
    yield engine
    engine.dispose()


def crew_at_work(engine, log: Path, mode: str, seed: int) -> int:
    with rail(log, seed) as port:
        url = engine.url.render_as_string(hide_password=False)
        command = [sys.executable, "-m", "tests.faults.crew", url, str(port), mode, str(seed)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600, check=True)
    return int(done.stdout)


def paid(log: Path) -> Counter[str]:
    return Counter(json.loads(line)["payout_id"] for line in log.read_text().splitlines())


def test_everybody_is_paid_exactly_once_while_workers_die(engine, tmp_path):
    log = tmp_path / "effects"
    deaths = crew_at_work(engine, log, "safe", seed=7)
    print(f"{PAYOUTS} payouts, {deaths} workers died")
    assert deaths >= LEAST_DEATHS
    with Session(engine) as session, tenancy.scoped(tenancy.EVERYTHING):
        ids = {str(row) for row in session.execute(text("SELECT id FROM payout")).scalars()}
        states = Counter(session.execute(text("SELECT state FROM payout")).scalars())
        repeated = session.execute(text("SELECT count(*) FROM payout WHERE attempts > 1")).scalar_one()
        transit = [
            queries.in_transit_totals(session, coop_id) for coop_id in session.execute(text("SELECT id FROM coop")).scalars()
        ]
        findings = books.check(session)
        owed = session.execute(text("SELECT sum(amount_minor) FROM payable")).scalar_one()
    assert paid(log) == Counter(ids), "each payout stands in the rail's log exactly once"
    assert states == {"sent": PAYOUTS}
    assert repeated > PAYOUTS / 20, "the rail and the deaths must have forced repeats"
    assert transit == [{("stripe", "EUR"): owed}]
    assert findings == []


def test_a_new_key_per_attempt_pays_people_twice(engine, tmp_path):
    log = tmp_path / "effects"
    crew_at_work(engine, log, "naive", seed=7)
    assert max(paid(log).values()) > 1
