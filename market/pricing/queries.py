"""Reads of price tables, imports, quotes, floors and checks, as frozen values."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any
from uuid import UUID

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from market.kernel.errors import Missing
from market.kernel.money import Money
from market.pricing.errors import ReferenceUnknown
from market.pricing.models import CoopFloorRow, ImportBatch, ImportRow, MarketQuote, PriceCheck, PriceReference
from market.pricing.rules import CoopFloor, Floor, Reference, replay
from market.pricing.rules.judge import MAX_QUOTE_DAYS
from market.pricing.rules.units import round_line
from market.pricing.rules.verdict import from_json
from market.pricing.service.shelf import floor_of, load_packagings, open_shelf, reference_of


@dataclass(frozen=True, slots=True)
class ReferenceRow:
    """A row of a price table with who entered, approved and confirmed it, and what keeps it waiting."""

    reference: Reference
    note: str
    review: tuple[tuple[str, str], ...]
    entered_by: str
    entered_at: datetime
    approved_by: str | None
    confirmed_by: str | None
    supersedes_id: UUID | None
    document_hash: str


@dataclass(frozen=True, slots=True)
class Batch:
    """An import and how its rows were answered."""

    id: UUID
    profile: str
    scheme: str
    source_name: str
    state: str
    entered_by: str
    entered_at: datetime
    decided_by: str | None
    counts: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class StoredCheck:
    """A check that was kept, with its sentence."""

    id: UUID
    rule: str
    version: int
    subject_id: UUID
    gate: str
    outcome: str
    reason: str
    words: str
    amount_short: Money | None
    evaluated_at: datetime
    evaluated_for: date
    inputs: dict[str, Any]

    @property
    def said(self) -> str:
        """The sentence made again from the inputs, which can be told in any language; as stored when the rule has changed."""
        again = replay(self.inputs).words
        return again if again == self.words else self.words


def _row(row: PriceReference, packagings: Any) -> ReferenceRow:
    return ReferenceRow(
        reference=reference_of(row, packagings),
        note=row.note,
        review=tuple((note["code"], note["words"]) for note in row.review),
        entered_by=row.entered_by,
        entered_at=row.entered_at,
        approved_by=row.approved_by,
        confirmed_by=row.confirmed_by,
        supersedes_id=row.supersedes_id,
        document_hash=row.document_hash,
    )


def references(session: Session, *, status: str | None = None, product: str | None = None) -> list[ReferenceRow]:
    """Return rows by product, waiting ones first, the newest day first; at most 500."""
    waiting = case((PriceReference.status == "needs_review", 0), else_=1)
    wanted = select(PriceReference).order_by(
        waiting,
        PriceReference.product,
        PriceReference.variety,
        PriceReference.form,
        PriceReference.valid_from.desc(),
        PriceReference.id,
    )
    if status:
        wanted = wanted.where(PriceReference.status == status)
    if product:
        wanted = wanted.where(PriceReference.product == product)
    packagings = load_packagings(session)
    return [_row(row, packagings) for row in session.execute(wanted.limit(500)).scalars()]


def rows_to_review(session: Session) -> int:
    """Return how many rows wait for a person."""
    return session.scalars(select(func.count()).where(PriceReference.status == "needs_review")).one()


def imports_to_decide(session: Session) -> int:
    """Return how many imported tables wait for a second person."""
    return session.scalars(select(func.count()).where(ImportBatch.state == "waiting")).one()


def reference(session: Session, reference_id: UUID) -> ReferenceRow:
    """Return one row. Raises ReferenceUnknown."""
    row = session.get(PriceReference, reference_id)
    if row is None:
        raise ReferenceUnknown("There is no such row of a price table.")
    return _row(row, load_packagings(session))


def products(session: Session) -> Sequence[str]:
    """Return the products that have rows, by name."""
    return session.execute(select(PriceReference.product).distinct().order_by(PriceReference.product)).scalars().all()


def batches(session: Session) -> list[Batch]:
    """Return the newest fifty imports, waiting ones first."""
    waiting = case((ImportBatch.state == "waiting", 0), else_=1)
    rows = session.execute(select(ImportBatch).order_by(waiting, ImportBatch.entered_at.desc()).limit(50)).scalars().all()
    return _counted(session, rows)


def batch(session: Session, batch_id: UUID) -> Batch:
    """Return one import. Raises Missing."""
    row = session.get(ImportBatch, batch_id)
    if row is None:
        raise Missing("There is no such import.")
    return _counted(session, [row])[0]


def _counted(session: Session, found: Sequence[ImportBatch]) -> list[Batch]:
    counted: dict[UUID, list[tuple[str, int]]] = {}
    states = (
        select(ImportRow.batch_id, ImportRow.state, func.count())
        .where(ImportRow.batch_id.in_([batch.id for batch in found]))
        .group_by(ImportRow.batch_id, ImportRow.state)
        .order_by(ImportRow.state)
    )
    for batch_id, state, number in session.execute(states):
        counted.setdefault(batch_id, []).append((state, number))
    return [
        Batch(
            id=row.id,
            profile=row.profile,
            scheme=row.scheme,
            source_name=row.source_name,
            state=row.state,
            entered_by=row.entered_by,
            entered_at=row.entered_at,
            decided_by=row.decided_by,
            counts=tuple(counted.get(row.id, ())),
        )
        for row in found
    ]


@dataclass(frozen=True, slots=True)
class Change:
    """A row that comes beside the row of the same goods that it follows: what it replaces, else the edition before."""

    old: Reference | None
    new: Reference
    active: bool
    """Whether it counts as soon as it is taken over; otherwise it waits for a person."""


def batch_changes(session: Session, batch_id: UUID) -> list[Change]:
    """Return the rows that an import would take over, in the file's order, each beside what is in force for its goods."""
    taken = ("accepted", "needs_review")
    wanted = select(ImportRow).where(ImportRow.batch_id == batch_id, ImportRow.state.in_(taken)).order_by(ImportRow.number)
    rows = [(row.state == "accepted", from_json(Reference, row.values)) for row in session.scalars(wanted)]
    packagings = load_packagings(session)
    held = select(PriceReference).where(
        PriceReference.status == "active", PriceReference.product.in_({new.product for _active, new in rows})
    )
    known: dict[tuple[Any, ...], list[Reference]] = {}
    for row in session.scalars(held.order_by(PriceReference.valid_from, PriceReference.entered_at, PriceReference.id)):
        known.setdefault(_goods(row), []).append(reference_of(row, packagings))
    return [Change(_before(known.get(_goods(new), ()), new), new, active) for active, new in rows]


def change_of(session: Session, reference_id: UUID) -> Change:
    """Return a row beside the one that it replaces, else beside the edition before. Raises ReferenceUnknown."""
    row = session.get(PriceReference, reference_id)
    if row is None:
        raise ReferenceUnknown("There is no such row of a price table.")
    packagings = load_packagings(session)
    new = reference_of(row, packagings)
    if row.supersedes_id is not None:
        return Change(reference_of(session.get_one(PriceReference, row.supersedes_id), packagings), new, active=True)
    held = select(PriceReference).where(
        PriceReference.status.in_(("active", "superseded")), PriceReference.product == row.product, PriceReference.id != row.id
    )
    ordered = held.order_by(PriceReference.valid_from, PriceReference.entered_at, PriceReference.id)
    same = [reference_of(each, packagings) for each in session.scalars(ordered) if _goods(each) == _goods(row)]
    return Change(_before(same, new), new, active=True)


GOODS = (
    "scheme", "price_kind", "product", "variety", "form", "characteristic", "quality", "geo_level", "geo_code", "setup",
    "incoterm", "currency", "unit",
)  # fmt: skip
"""What has to be equal in two rows for one to be the other's edition before."""


def _goods(row: Reference | PriceReference) -> tuple[Any, ...]:
    return tuple(getattr(row, name) for name in GOODS)


def _before(same: Sequence[Reference], new: Reference) -> Reference | None:
    earlier = [row for row in same if row.valid_from and new.valid_from and row.valid_from < new.valid_from]
    return earlier[-1] if earlier else None


def counting_quotes(session: Session) -> set[UUID]:
    """Return the market prices that count; one far from the former counts only once a second person has checked it."""
    return {market.quote_id for market in open_shelf(session, ())[0].markets if market.quote_id is not None}


def rate_before(session: Session, *, base: str, quote: str) -> Decimal | None:
    """Return the rate on file by which price checks turn one currency into another, None without one."""
    rates = open_shelf(session, ())[0].fx
    return next((one.rate for one in rates if (one.base, one.quote) == (base, quote)), None)


@dataclass(frozen=True, slots=True)
class WantedMarket:
    """A market that active rows are held against, and whether a price young enough is there."""

    market: str
    newest_on: date | None
    fresh: bool


def wanted_markets(session: Session, on: date) -> list[WantedMarket]:
    """Return the markets and indexes that active rows need, those without a price of the last days first."""
    name = func.coalesce(PriceReference.relevant_market, PriceReference.index_name).label("market")
    needed = select(name).where(PriceReference.status == "active", name.is_not(None)).distinct().subquery()
    rows = session.execute(
        select(needed.c.market, func.max(MarketQuote.quoted_on))
        .outerjoin(MarketQuote, (MarketQuote.market == needed.c.market) & (MarketQuote.quoted_on <= on))
        .group_by(needed.c.market)
    )
    found = [WantedMarket(market, newest, newest is not None and (on - newest).days <= MAX_QUOTE_DAYS) for market, newest in rows]
    return sorted(found, key=lambda row: (row.fresh, row.market))


def coop_floor(session: Session, floor_id: UUID) -> CoopFloor:
    """Return one floor of a co-op, also one that a newer decision replaced. Raises Missing outside this scope."""
    row = session.get(CoopFloorRow, floor_id)
    if row is None:
        raise Missing("There is no such floor here.")
    return floor_of(row)


def coop_floors(session: Session, coop_id: UUID) -> list[CoopFloor]:
    """Return the active floors of a co-op by title."""
    wanted = select(CoopFloorRow).where(CoopFloorRow.coop_id == coop_id, CoopFloorRow.status == "active")
    return [floor_of(row) for row in session.execute(wanted.order_by(CoopFloorRow.title)).scalars()]


def all_coop_floors(session: Session) -> list[CoopFloor]:
    """Return the active floors of every co-op by title: their inputs are public (fair-prices.md 6)."""
    wanted = select(CoopFloorRow).where(CoopFloorRow.status == "active").order_by(CoopFloorRow.title, CoopFloorRow.id)
    return [floor_of(row) for row in session.execute(wanted).scalars()]


def checks_of(session: Session, *, subject_kind: str, subject_id: UUID) -> list[StoredCheck]:
    """Return the current check of each rule, scheme and gate of a subject: the latest by id (fair-prices.md 4)."""
    mine = (PriceCheck.subject_kind == subject_kind, PriceCheck.subject_id == subject_id)
    rows = session.execute(select(PriceCheck).where(*mine).order_by(PriceCheck.id)).scalars()
    latest = {(row.gate, row.inputs["rule"], _scheme_of(row.inputs)): row for row in rows}
    return [_stored_check(row) for _, row in sorted(latest.items())]


def checks_by_id(session: Session, check_ids: Iterable[UUID]) -> dict[UUID, StoredCheck]:
    """Return stored checks by id, in one statement."""
    rows = session.scalars(select(PriceCheck).where(PriceCheck.id.in_(list(check_ids))))
    return {row.id: _stored_check(row) for row in rows}


def at_the_floor(session: Session, check_ids: Iterable[UUID], quantity: Decimal, currency: str) -> Money:
    """Return what a quantity is worth at the highest blocking floor of stored checks; zero when none of them has one.

    The checks are run again from their own inputs, so that this is the floor of the day they were made on. `quantity` is in
    the unit of their price.
    """
    worth = [Money.zero(currency)]
    for stored in checks_by_id(session, check_ids).values():
        said = replay(stored.inputs)
        if isinstance(said.floor, Floor) and said.floor.blocks and said.floor.passing is not None:
            price = said.arguments["price"]
            worth.append(round_line(Fraction(said.floor.passing) * Fraction(quantity) / Fraction(price.per), price.currency))
    return max(worth)


def check_of_an_offer(session: Session, check_id: UUID) -> StoredCheck:
    """Return one stored check of an offer in the shop, which anybody may see. Raises Missing."""
    row = session.get(PriceCheck, check_id)
    if row is None or row.subject_kind != "listing":
        raise Missing("There is no such price check of an offer.")
    return _stored_check(row)


def _stored_check(row: PriceCheck) -> StoredCheck:
    return StoredCheck(
        id=row.id,
        rule=row.rule_id,
        version=row.rule_version,
        subject_id=row.subject_id,
        gate=row.gate,
        outcome=row.outcome,
        reason=row.reason_code,
        words=row.words,
        amount_short=None if row.amount_short_minor is None else Money(row.amount_short_minor, row.currency or ""),
        evaluated_at=row.evaluated_at,
        evaluated_for=row.evaluated_for,
        inputs=row.inputs,
    )


def _scheme_of(inputs: dict[str, Any]) -> str:
    """Return the claim or scheme that a check is about: two schemes on one offer give two checks of one rule."""
    return str(inputs.get("scheme") or inputs.get("claim") or inputs.get("row", {}).get("scheme", ""))
