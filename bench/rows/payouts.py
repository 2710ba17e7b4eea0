"""Payout runs: planning and approving set-based, then sending one payout after the other with its reference committed first.

The rail answers at once from memory, so the figure is the market's own work: claim, commit, call, record, commit. The bound
is two commits of one changed row each.
"""

from __future__ import annotations

import time
from datetime import timedelta
from uuid import UUID

from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session

from bench import data
from bench.limits import sql_rate
from bench.site import Site
from bench.table import Row
from market.cli.migrations import import_models, sqlalchemy_url
from market.gateways.memory_stripe import MemoryTransfers
from market.kernel import tenancy, uow
from market.kernel.actor import Actor
from market.kernel.ids import new_id
from market.kernel.money import Money
from market.ledger import service as ledger
from market.ledger.rules import Entry, legs
from market.payables import service as payables
from market.payouts import service
from market.producers.models import PayeeAccount, Producer
from workers.payouts import drain

PREPARER = Actor(account_id=UUID(int=1), roles=frozenset({"preparer"}), name="Ada")
APPROVER = Actor(account_id=UUID(int=2), roles=frozenset({"approver"}), name="Bo")


def owe(session: Session, count: int) -> UUID:
    """Let a co-op owe goods to `count` producers, each with a confirmed account; return the co-op."""
    coop_id = data.ident(0, 1)
    session.execute(text("SELECT setval('payout_number', 500000000)"))  # the row of statements writes low numbers of its own
    now, on = data.NOW, data.NOW.date()
    people = [
        Producer(id=new_id(), coop_id=coop_id, slug=f"payee-{number}", name=f"Payee {number}", region="Huila", created_at=now)
        for number in range(count)
    ]
    session.add_all(people)
    session.flush()
    session.add_all(
        PayeeAccount(
            coop_id=coop_id, producer_id=one.id, rail="stripe", currency="EUR", holder=one.name, stripe_account=f"acct_{number}",
            country="DE", entered_by=PREPARER.label, entered_at=now, confirmed_by=APPROVER.label, confirmed_at=now,
        )
        for number, one in enumerate(people)
    )  # fmt: skip
    book, entries = ledger.book_of(session, coop_id), []
    for one in people:
        owed = payables.raise_payable(
            session, coop_id=coop_id, payee_id=one.id, money=Money(6480, "EUR"), kind="goods", due_on=on, source_kind="delivery",
            source_id=new_id(),
        )  # fmt: skip
        moves = legs(("held:goods", f"payable:{one.id}", owed.money), subject=owed.source_id)
        entries.append(Entry(book, "released", f"release:{owed.source_id}", on, "system", moves))
    ledger.post(session, entries)
    return coop_id


def measure(site: Site) -> list[Row]:
    """Measure one run from plan to the last payout sent."""
    count = 100 if site.plan.short else 2000
    import_models()
    engine = create_engine(sqlalchemy_url(site.database_url))
    now = data.NOW + timedelta(days=1)
    with tenancy.scoped(tenancy.EVERYTHING):
        with Session(engine) as session, session.begin():
            coop_id = owe(session, count)
        begun = time.perf_counter()
        with Session(engine) as session, session.begin():
            run = service.plan_run(session, actor=PREPARER, coop_id=coop_id, due_by=now.date(), now=now)
            service.approve_run(session, actor=APPROVER, run_id=run.id, list_sha256=run.list_sha256, now=now)
        planned = time.perf_counter() - begun
        rail = MemoryTransfers()
        begun = time.perf_counter()
        drain(
            lambda: uow.unit_of_work(lambda: Session(engine, expire_on_commit=False)),
            {"stripe": rail},
            lambda: now,
            limit=count + 1,
        )
        sent = time.perf_counter() - begun
        again = drain(lambda: uow.unit_of_work(lambda: Session(engine, expire_on_commit=False)), {"stripe": rail}, lambda: now)
    engine.dispose()
    one_row = [f"UPDATE stock SET held = held WHERE lot_id = '{data.ident(number, 4)}'" for number in range(40)]
    bound, by = sql_rate(site.database_url, one_row, site.plan)
    wrong = "" if len(rail.sent) == count and again == 0 else f"WRONG: {len(rail.sent)} sent of {count}, {again} again"
    return [
        Row("payout run planned and approved, payees", count / planned, note=f"{count:,} payees in {planned:.1f} s"),
        Row(
            "payout sent, one worker",
            count / sent,
            limit=bound / 2,
            limit_name=f"two commits ({by})",
            note=wrong or "each sent once",
        ),
    ]
