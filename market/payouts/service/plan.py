"""Prepare a run: take what is due, group it by payee, leave out visibly who cannot be paid.

A run of 100,000 payees is a handful of statements; only details that a rule in Python has to read come here.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Select,
    TableValuedAlias,
    Text,
    Uuid,
    and_,
    case,
    column,
    delete,
    func,
    insert,
    literal,
    or_,
    select,
    table,
    text,
    tuple_,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from market.kernel import audit
from market.kernel.actor import Actor
from market.kernel.clock import day_in
from market.kernel.ids import new_id, new_ids
from market.kernel.money import Money
from market.kernel.references import Kind
from market.kernel.words import say
from market.ledger import queries as books
from market.ledger import service as ledger
from market.payables import queries as owed
from market.payables import service as payables
from market.payouts.errors import DayRefused, NothingToPay
from market.payouts.models import PAYOUT_NUMBERS, RUN_NUMBERS, Payout, PayoutItem, PayoutRun
from market.payouts.queries import RunRow, SkippedRow, bad_accounts, recovered, run_from, settings_of
from market.payouts.rules.planning import CLAIM_CAP_PERCENT, SOURCES, Details, why_not
from market.producers import queries as producers
from market.producers.queries import CoopView

_PLAN = table(
    "payout_plan",
    column("payee_id", Uuid), column("currency", Text), column("gross_minor", BigInteger), column("payable_ids", ARRAY(Uuid)),
    column("payable_minors", ARRAY(BigInteger)), column("rail", Text), column("details", JSONB),
    column("deducted_minor", BigInteger), column("payout_id", Uuid),
)  # fmt: skip
_MAKE_PLAN = (
    text("DROP TABLE IF EXISTS pg_temp.payout_plan"),
    text(
        "CREATE TEMPORARY TABLE payout_plan (payee_id uuid, currency text, gross_minor bigint, payable_ids uuid[],"
        " payable_minors bigint[], rail text, details jsonb, deducted_minor bigint, payout_id uuid) ON COMMIT DROP"
    ),
)
_FINGERPRINT = text(
    "SELECT encode(sha256(string_agg(convert_to(line::text, 'UTF8'), '\\x0a' ORDER BY payee_id, currency)), 'hex') FROM (SELECT"
    " payee_id, currency, jsonb_build_array(payee_id, currency, gross_minor, deducted_minor, details) AS line FROM payout_plan) p"
)
Selected = Select[*tuple[Any, ...]]

AHEAD = timedelta(days=366)
"""What falls due later is not known yet: such a day is a mistyped year."""


def plan_run(session: Session, *, actor: Actor, coop_id: UUID, due_by: date, now: datetime) -> RunRow:
    """Make a draft run of everything that is due by a day; the same payable is never in two runs.

    One payout per payee and currency. Who has no good account stays owed and stands in `skipped` with the reason. Raises
    NothingToPay when nothing is due, or nobody of those who wait can be paid, DayRefused for a day beyond AHEAD: the run would
    be carried out on it.
    """
    coop = producers.coop(session, coop_id)
    today = day_in(now, coop.time_zone)
    if due_by - today > AHEAD:
        raise DayRefused(
            "A run is carried out on that day, which lies more than a year ahead. Check the year.", pointer="/due_by"
        )
    run_id = new_id()
    if not payables.take_due(session, coop_id=coop_id, due_by=due_by, taker=run_id):
        raise NothingToPay("Nothing is due by that day that is not already in a run.", due_by=due_by)
    _stage(session, coop, owed.taken_by(run_id))
    skipped = _skip(session, coop)
    payables.give_back_of(session, taker=run_id, payees=[(row.payee_id, row.money.currency) for row in skipped])
    totals: dict[str, dict[str, list[int]]] = {}
    for total in _totals(session):
        totals.setdefault(total.rail, {})[total.money.currency] = [total.count, total.money.minor]
    if not totals:
        raise NothingToPay(say("Nobody can be paid yet. %(reason)s", reason=skipped[0].reason), skipped=len(skipped))
    run = PayoutRun(
        id=run_id,
        coop_id=coop_id,
        number=session.execute(select(RUN_NUMBERS.next_value())).scalar_one(),
        state="draft",
        due_by=due_by,
        execute_on=max(due_by, today),
        totals=totals,
        skipped=[
            {"payee_id": str(row.payee_id), "currency": row.money.currency, "amount_minor": row.money.minor, "reason": row.reason}
            for row in skipped
        ],
        list_sha256=session.execute(_FINGERPRINT).scalar_one(),
        prepared_by=actor.label,
        prepared_at=now,
    )
    session.add(run)
    session.flush()  # the payouts point to the run
    _insert_payouts(session, run, now)
    audit.record(
        session,
        actor=actor,
        action="payouts.planned",
        subject_kind="payout_run",
        subject_id=run.id,
        now=now,
        coop_id=coop_id,
        new={"list_sha256": run.list_sha256, "totals": run.totals},
    )
    return run_from(run)


@dataclass(frozen=True, slots=True)
class PlannedTotal:
    """Count, sum and netted claims of one rail and currency, and what came back to advances before."""

    rail: str
    count: int
    money: Money
    deducted: Money
    recovered: Money


@dataclass(frozen=True, slots=True)
class Preview:
    """What a run would do."""

    totals: list[PlannedTotal]
    skipped: list[SkippedRow]


def preview_run(session: Session, *, coop_id: UUID, due_by: date) -> Preview:
    """Return what a run of everything due by a day would do; nothing is written."""
    coop = producers.coop(session, coop_id)
    _stage(session, coop, owed.due_by(coop_id, due_by))
    skipped = _skip(session, coop)
    back = _recovered(session)
    totals = [replace(one, recovered=back.get((one.rail, one.money.currency), one.recovered)) for one in _totals(session)]
    return Preview(totals, skipped)


def current_accounts(session: Session, coop: CoopView) -> Selected:
    """Return the SELECT of where each producer of the co-op is paid today: producer_id, currency, rail, details.

    Accounts that the bank refused are left out, and bank accounts while the co-op's own cannot send.
    """
    account = producers.live_accounts_of(coop.id).subquery("account")
    refused = [UUID(account_id) for account_id in bad_accounts(session, coop.id)]
    details: list[Any] = ["account_id", account.c.id]
    for name in ("rail", "currency", "holder", "street", "building", "postcode", "town", "country"):
        details += [name, account.c[name]]
    for name in ("iban", "bic", "stripe_account", "msisdn", "unlike"):
        details += [name, func.coalesce(account.c[name], "")]
    return select(
        account.c.producer_id, account.c.currency, account.c.rail, func.jsonb_build_object(*details).label("details")
    ).where(
        account.c.id != func.all(literal(refused, ARRAY(Uuid))),
        or_(account.c.rail != "sepa", literal(_why_we_cannot_send(coop) is None)),
    )


def _why_we_cannot_send(coop: CoopView) -> str | None:
    """Return why the co-op's own account and address cannot stand in a bank file; None when they can."""
    ours = Details(
        "", "sepa", "EUR", coop.account_holder or coop.name, iban=coop.iban or "", bic=coop.bic or "", street=coop.street,
        building=coop.building, postcode=coop.postcode, town=coop.town, country=coop.country,
    )  # fmt: skip
    return why_not(ours, "EUR")


def _stage(session: Session, coop: CoopView, what: Selected) -> None:
    """Put what is owed beside where each payee is paid: a row per payee and currency, which is a payout to be."""
    for statement in _MAKE_PLAN:
        session.execute(statement)
    due, account, claim = what.subquery("due"), current_accounts(session, coop).subquery("account"), _claims(session, coop.id)
    deducted = func.least(func.coalesce(claim.c.minor, 0), due.c.gross_minor * CLAIM_CAP_PERCENT // 100)
    count = session.execute(select(func.count()).select_from(due)).scalar_one()
    nth = func.row_number().over(order_by=(due.c.payee_id, due.c.currency)) - 1
    rows = (
        select(*due.c, account.c.rail, account.c.details, deducted, func.market_nth_id(new_ids(count), nth))
        .outerjoin(account, and_(account.c.producer_id == due.c.payee_id, account.c.currency == due.c.currency))
        .outerjoin(claim, and_(claim.c.payee_id == due.c.payee_id, claim.c.currency == due.c.currency))
    )
    session.execute(insert(_PLAN).from_select([one.name for one in _PLAN.c], rows))


def _claims(session: Session, coop_id: UUID) -> TableValuedAlias:
    """Return what payees owe the co-op, as a table: payee_id, currency, minor."""
    found: list[tuple[UUID, str, int]] = []
    for account in books.balances(session, ledger.book_of(session, coop_id), prefix="claim:"):
        try:
            found.append((UUID(account.code.removeprefix("claim:")), account.money.currency, max(account.money.minor, 0)))
        except ValueError:
            continue  # claims on cashiers and organisations are not netted against anybody's harvest
    columns = (column("payee_id", Uuid), column("currency", Text), column("minor", BigInteger))
    values = [literal([row[n] for row in found], ARRAY(one.type)) for n, one in enumerate(columns)]
    return func.unnest(*values).table_valued(*columns, name="claim").render_derived()


def _skip(session: Session, coop: CoopView) -> list[SkippedRow]:
    """Take out of the plan who cannot be paid now or is owed too little; return them with how much waits and why."""
    plan = _PLAN.c
    to_stripe = and_(plan.rail == "stripe", func.starts_with(plan.details["stripe_account"].astext, "acct_"))
    to_wallet = and_(plan.rail == "momo", plan.details["unlike"].astext == "")
    doubtful = select(plan.payee_id, plan.currency, plan.gross_minor, plan.details).where(
        or_(plan.rail.in_(("cash", "cheque")), to_stripe, to_wallet).is_not(True)  # of the others a rule has to read the details
    )
    ours = _why_we_cannot_send(coop) if coop.iban else None
    words = ours and say(
        "The co-op's own details cannot stand in a bank file. %(reason)s It is mended under The co-op.", reason=ours
    )
    found = [
        SkippedRow(payee, Money(minor, currency), words if words and not details and currency == "EUR" else reason)
        for payee, currency, minor, details in session.execute(doubtful.order_by(plan.payee_id, plan.currency))
        if (reason := why_not(Details(**details) if details else None, currency))
    ]
    for start in range(0, len(found), 5000):
        them = [(row.payee_id, row.money.currency) for row in found[start : start + 5000]]
        session.execute(delete(_PLAN).where(tuple_(plan.payee_id, plan.currency).in_(them)))
    least = Money(settings_of(session, coop.id).minimum_minor, coop.currency)
    if not least:
        return found
    too_little = and_(plan.currency == least.currency, plan.gross_minor - plan.deducted_minor < least.minor)
    carried = session.execute(delete(_PLAN).where(too_little).returning(plan.payee_id, plan.gross_minor))
    reason = say("Below %(least)s, the least that is paid out: carried to the next run.", least=least)
    return found + [SkippedRow(payee, Money(minor, least.currency), reason) for payee, minor in sorted(carried)]


def _insert_payouts(session: Session, run: PayoutRun, now: datetime) -> None:
    """Write the payouts, numbered in the order of payee and currency, and what is in each."""
    ordered = select(_PLAN).order_by(_PLAN.c.payee_id, _PLAN.c.currency).subquery()
    row = select(ordered, PAYOUT_NUMBERS.next_value().label("number")).subquery().c
    source = case(SOURCES, value=row.rail)
    values: dict[str, ColumnElement[Any]] = {
        "id": row.payout_id,
        "coop_id": literal(run.coop_id),
        "run_id": literal(run.id),
        "number": row.number,
        "payee_id": row.payee_id,
        "rail": row.rail,
        "currency": row.currency,
        "gross_minor": row.gross_minor,
        "deducted_minor": row.deducted_minor,
        "amount_minor": row.gross_minor - row.deducted_minor,
        "source_account": source,
        "details": row.details,
        "reference": func.market_reference(int(Kind.PAYOUT), row.number),
        "state": literal("draft"),
        "changed_at": literal(now),
    }
    session.execute(insert(Payout).from_select(list(values), select(*values.values())))
    payable = (
        func.unnest(_PLAN.c.payable_ids, _PLAN.c.payable_minors)
        .table_valued(column("id", Uuid), column("minor", BigInteger), name="payable", joins_implicitly=True)
        .render_derived()
    )
    items = select(literal(run.coop_id), _PLAN.c.payout_id, payable.c.id, payable.c.minor)
    session.execute(insert(PayoutItem).from_select(["coop_id", "payout_id", "payable_id", "amount_minor"], items))


def _totals(session: Session) -> list[PlannedTotal]:
    plan = _PLAN.c
    sums = select(plan.rail, plan.currency, func.count(), func.sum(plan.gross_minor), func.sum(plan.deducted_minor))
    return [
        PlannedTotal(rail, count, Money(int(gross - deducted), currency), Money(int(deducted), currency), Money.zero(currency))
        for rail, currency, count, gross, deducted in session.execute(
            sums.group_by(plan.rail, plan.currency).order_by(plan.rail, plan.currency)
        )
    ]


def _recovered(session: Session) -> dict[tuple[str, str], Money]:
    """Return per rail and currency what came back to advances out of what the plan pays the rest of."""
    back = recovered.of_payables(select(func.unnest(_PLAN.c.payable_ids))).subquery()
    sums = (
        select(_PLAN.c.rail, _PLAN.c.currency, func.sum(back.c.amount_minor))
        .join(back, and_(back.c.payee_id == _PLAN.c.payee_id, back.c.currency == _PLAN.c.currency))
        .group_by(_PLAN.c.rail, _PLAN.c.currency)
    )
    return {(rail, currency): Money(int(minor), currency) for rail, currency, minor in session.execute(sums)}
