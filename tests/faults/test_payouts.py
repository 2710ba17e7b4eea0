"""Nobody is paid twice and nobody is forgotten, whatever dies (law 5, money.md 6.4).

The rail's own effect log is the oracle: our tables would say in every run that all is well. The same run with a new key
per attempt must pay people twice, or this test proves nothing. `FAULTS=long` runs the size of `make faults`.
"""

import json
import os
import subprocess
import sys
import threading
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
from tests.momo_server import MomoServer

pytestmark = pytest.mark.faults
PAYOUTS, LEAST_DEATHS = (1000, 200) if os.environ.get("FAULTS") == "long" else (40, 12)
NAIVE = 30
PATIENCE_S = 600
WALLET_FAULTS = (("drop_before", 0.1), ("drop_after", 0.15), ("500_after", 0.07), ("slow", 0.03))
METHOD = {".*/transfer": "POST", ".*/transfer/.*": "GET"}


@contextmanager
def rail(log: Path, seed: int):
    command = [sys.executable, "-m", "tests.faults.rail_server", str(log), str(seed)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            yield int(server.stdout.readline())
        finally:
            server.kill()


@contextmanager
def wallets(folder: Path, seed: int):
    """A mobile-money provider that breaks as often as the other rail, and decides late."""
    server = MomoServer(folder, decide_after=0.05)
    try:
        for kind, probability in WALLET_FAULTS:
            for path in (".*/transfer", ".*/transfer/.*"):
                server.control(
                    "faults", kind=kind, path=path, probability=probability, seed=seed, seconds=1.0, method=METHOD[path]
                )
        yield server
    finally:
        server.stop()


def number(n: int) -> str:
    """A wallet's number; every twentieth has no wallet behind it."""
    return f"+25078{n:05d}{'50' if n % 20 == 1 else '10'}"


@pytest.fixture
def engine(make_database, request):
    """An engine over a database of its own with a co-op that owes many producers."""
    migrations.import_models()
    engine = create_engine(migrations.sqlalchemy_url(make_database(f"faults_{request.node.name[-5:]}".lower().strip("[]"))))
    with Session(engine) as session, tenancy.scoped(tenancy.EVERYTHING):
        coop = make_coop(session)
        for n in range(NAIVE if "twice" in request.node.name else PAYOUTS):
            producer = make_producer(session, coop=coop)
            where = {"rail": "momo", "msisdn": number(n)} if n % 2 else {"rail": "stripe", "stripe_account": f"acct_{n}"}
            make_payee_account(session, producer=producer, iban=None, bic=None, **where)
            owe(session, producer, 100 + n)
        approved_run(session, coop.id)
        session.commit()
    yield engine
    engine.dispose()


@pytest.fixture(scope="module")
def foreman():
    """The process that forks the workers; it loads while the database is made."""
    command = [sys.executable, "-m", "tests.faults.crew"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()  # nothing of it is worth waiting for


def crew_at_work(foreman, engine, log: Path, mode: str, seed: int) -> int:
    """Let a crew pay everybody; return how many workers died."""
    with rail(log, seed) as port, wallets(log.parent / "momo", seed) as momo:
        url = engine.url.render_as_string(hide_password=False)
        foreman.stdin.write(json.dumps({"url": url, "port": port, "momo": momo.url, "mode": mode, "seed": seed}) + "\n")
        foreman.stdin.flush()
        limit = threading.Timer(PATIENCE_S, foreman.kill)
        limit.start()
        try:
            return int(foreman.stdout.readline())
        finally:
            limit.cancel()


def paid(log: Path) -> Counter[str]:
    return Counter(json.loads(line)["payout_id"] for line in log.read_text().splitlines())


def paid_to_wallets(log: Path) -> Counter[str]:
    lines = (log.parent / "momo" / "effects.jsonl").read_text().splitlines()
    return Counter(json.loads(line)["external_id"] for line in lines)


def test_everybody_is_paid_exactly_once_while_workers_die(foreman, engine, tmp_path, report):
    log = tmp_path / "effects"
    deaths = crew_at_work(foreman, engine, log, "safe", seed=7)
    assert deaths >= LEAST_DEATHS
    with Session(engine) as session, tenancy.scoped(tenancy.EVERYTHING):
        ids = {str(row) for row in session.execute(text("SELECT id FROM payout WHERE rail = 'stripe'")).scalars()}
        to_wallets = session.execute(text("SELECT reference, details ->> 'msisdn', state FROM payout WHERE rail = 'momo'")).all()
        states = Counter(session.execute(text("SELECT state FROM payout")).scalars())
        repeated = session.execute(text("SELECT count(*) FROM payout WHERE attempts > 1")).scalar_one()
        transit = [
            queries.in_transit_totals(session, coop_id) for coop_id in session.execute(text("SELECT id FROM coop")).scalars()
        ]
        findings = books.check(session)
        owed = dict(session.execute(text("SELECT rail, sum(amount_minor) FROM payout WHERE state = 'sent' GROUP BY rail")).all())
        open_again = session.execute(text("SELECT sum(amount_minor) FROM payable WHERE state = 'open'")).scalar_one()
        lost = session.execute(text("SELECT sum(amount_minor) FROM payout WHERE state = 'failed'")).scalar_one()
    assert paid(log) == Counter(ids), "each payout stands in the rail's log exactly once"
    reachable = {reference for reference, msisdn, _ in to_wallets if not msisdn.endswith("50")}
    assert paid_to_wallets(log) == Counter(reachable), "each wallet stands in the provider's log exactly once"
    assert {state == "sent" for reference, _, state in to_wallets if reference in reachable} == {True}
    assert states == {"sent": len(ids) + len(reachable), "failed": len(to_wallets) - len(reachable)}
    assert open_again == lost, "who could not be reached is owed again"
    assert repeated > PAYOUTS / 20, "the rail and the deaths must have forced repeats"
    assert transit == [{(rail, "EUR"): minor for rail, minor in owed.items()}]
    assert findings == []
    calls = f"{repeated} sent more than once under their one key"
    report(
        f"{PAYOUTS} payouts through {deaths} deaths of workers whose clocks disagree by up to two hours: {calls}, each paid once"
    )


def test_a_new_key_per_attempt_pays_people_twice(foreman, engine, tmp_path, report):
    log = tmp_path / "effects"
    crew_at_work(foreman, engine, log, "naive", seed=7)
    counts = paid(log)
    assert max(counts.values()) > 1
    twice = sum(count > 1 for count in counts.values())
    report(f"the same with a new key for each attempt: {twice} of {NAIVE} people paid more than once")
    assert max(paid_to_wallets(log).values()) > 1
