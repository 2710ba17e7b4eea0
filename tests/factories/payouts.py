"""Money owed and payout runs with valid defaults; nothing commits."""

from datetime import date
from uuid import UUID

from market.kernel.actor import Actor
from market.kernel.ids import new_id
from market.kernel.money import Money
from market.ledger import service as ledger
from market.ledger.rules import Entry, legs
from market.payables import service as payables
from market.payables.queries import Owed
from market.payouts import service
from market.payouts.queries import PayoutRow, RunRow, payouts_of_run
from market.payouts.rules.timing import Capabilities
from tests.conftest import NOW
from tests.factories.producers import make_payee_account, make_producer

WALLETS = {"momo": Capabilities(idempotent=True, askable=True, statement=True, reversible=False)}
PREPARER = Actor(account_id=UUID(int=1), roles=frozenset({"preparer"}), name="Ada")
APPROVER = Actor(account_id=UUID(int=2), roles=frozenset({"approver"}), name="Bo")


def owe(session, producer, minor: int = 6480, currency: str = "EUR", **values) -> Owed:
    """A payable with its posting, as goods that were released leave it (E13)."""
    owed = payables.raise_payable(
        session,
        **{
            "coop_id": producer.coop_id,
            "payee_id": producer.id,
            "money": Money(minor, currency),
            "kind": "goods",
            "due_on": date(2026, 11, 20),
            "source_kind": "delivery",
            "source_id": new_id(),
        }
        | values,
    )
    moves = legs(("held:goods", f"payable:{producer.id}", owed.money), subject=owed.source_id)
    book = ledger.book_of(session, producer.coop_id)
    ledger.post(session, [Entry(book, "released", f"release:{owed.source_id}", date(2026, 11, 20), "system", moves)])
    return owed


def make_run(session, coop_id: UUID, *, actor: Actor = PREPARER, now=NOW) -> RunRow:
    """A draft run of everything due by the day of `now`."""
    return service.plan_run(session, actor=actor, coop_id=coop_id, due_by=now.date(), now=now)


def approved_run(session, coop_id: UUID, *, now=NOW) -> RunRow:
    """A run that a second person has approved."""
    run = make_run(session, coop_id, now=now)
    return service.approve_run(session, actor=APPROVER, run_id=run.id, list_sha256=run.list_sha256, now=now)


def wallet_payout(session, coop) -> PayoutRow:
    """A mobile-money payout of 64.80 that nobody has claimed."""
    producer = make_producer(session, coop=coop)
    make_payee_account(session, producer=producer, rail="momo", iban=None, bic=None, msisdn="+250788000123")
    owe(session, producer)
    return only_payout(session, approved_run(session, coop.id))


def take(session, *, now=NOW) -> service.Claim | None:
    """Claim the next mobile-money payout."""
    return service.claim_next(session, now=now, rails=WALLETS)


def only_payout(session, run: RunRow) -> PayoutRow:
    """The one payout of a run."""
    (row,) = payouts_of_run(session, run.id).items
    return row
