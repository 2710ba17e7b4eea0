"""Prepare a run: take what is due, group it by payee, leave out visibly who cannot be paid (set-based)."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import column, func, insert, literal, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from market.kernel import audit
from market.kernel.actor import Actor
from market.kernel.clock import day_in
from market.kernel.ids import new_id
from market.kernel.orm import Base
from market.kernel.references import Kind, reference
from market.kernel.words import say
from market.ledger import queries as books
from market.ledger import service as ledger
from market.payables import queries as owed
from market.payables import service as payables
from market.payouts.errors import NothingToPay
from market.payouts.models import PAYOUT_NUMBERS, RUN_NUMBERS, Payout, PayoutItem, PayoutRun
from market.payouts.queries import RunRow, bad_accounts, run_from
from market.payouts.rules.pain001 import uetr_of
from market.payouts.rules.planning import SOURCES, Details, Due, Plan, list_sha256, make_plan, totals, why_not
from market.producers import queries as producers
from market.producers.queries import CoopView

_BATCH = 10_000


def plan_run(session: Session, *, actor: Actor, coop_id: UUID, due_by: date, now: datetime) -> RunRow:
    """Make a draft run of everything that is due by a day; the same payable is never in two runs.

    One payout per payee and currency. Who has no good account stays owed and stands in `skipped` with the reason. Raises
    NothingToPay when nothing is due, or nobody of those who wait can be paid.
    """
    coop = producers.coop(session, coop_id)
    run_id = new_id()
    taken = payables.take_due(session, coop_id=coop_id, due_by=due_by, taker=run_id)
    if not taken:
        raise NothingToPay("Nothing is due by that day that is not already in a run.", due_by=due_by)
    due = [Due(one.id, one.payee_id, one.currency, one.amount_minor) for one in taken]
    plan = make_plan(due, details=current_details(session, coop), claims=_claims(session, coop_id))
    if not plan.payouts:
        raise NothingToPay(say("Nobody can be paid yet. %(reason)s", reason=plan.skipped[0].reason), skipped=len(plan.skipped))
    payables.give_back(session, payable_ids=[payable for row in plan.skipped for payable in row.payables])
    run = PayoutRun(
        id=run_id,
        coop_id=coop_id,
        number=session.execute(select(RUN_NUMBERS.next_value())).scalar_one(),
        state="draft",
        due_by=due_by,
        execute_on=max(due_by, day_in(now, coop.time_zone)),
        totals=totals(plan.payouts),
        skipped=[
            {"payee_id": str(row.payee_id), "currency": row.currency, "amount_minor": row.amount_minor, "reason": row.reason}
            for row in plan.skipped
        ],
        list_sha256=list_sha256(plan.payouts),
        prepared_by=actor.label,
        prepared_at=now,
    )
    session.add(run)
    session.flush()  # the payouts point to the run
    _insert_payouts(session, run, plan, now)
    audit.record(
        session,
        actor=actor,
        action="payouts.planned",
        subject_kind="payout_run",
        subject_id=run_id,
        now=now,
        coop_id=coop_id,
        new={"list_sha256": run.list_sha256, "totals": run.totals},
    )
    return run_from(run)


def preview_run(session: Session, *, coop_id: UUID, due_by: date) -> Plan:
    """Return what a run of everything due by a day would do; nothing is written."""
    coop = producers.coop(session, coop_id)
    due = [
        Due(one.id, one.payee_id, one.money.currency, one.money.minor)
        for one in owed.open_payables(session, coop_id)
        if one.due_on <= due_by
    ]
    return make_plan(due, details=current_details(session, coop), claims=_claims(session, coop_id))


def current_details(session: Session, coop: CoopView) -> dict[tuple[UUID, str], Details]:
    """Return where each producer of the co-op is paid today, per currency; accounts that the bank refused are left out."""
    refused = bad_accounts(session, coop.id)
    ours = Details(
        account_id="",
        rail="sepa",
        currency="EUR",
        holder=coop.account_holder or coop.name,
        iban=coop.iban or "",
        bic=coop.bic or "",
    )
    bank_is_good = why_not(ours, "EUR") is None
    result: dict[tuple[UUID, str], Details] = {}
    for row in producers.live_payee_accounts(session, coop.id):
        if str(row.id) in refused or (row.rail == "sepa" and not bank_is_good):
            continue
        result[row.producer_id, row.currency] = Details(
            account_id=str(row.id),
            rail=row.rail,
            currency=row.currency,
            holder=row.holder,
            iban=row.iban or "",
            bic=row.bic or "",
            stripe_account=row.stripe_account or "",
            street=row.street,
            building=row.building,
            postcode=row.postcode,
            town=row.town,
            country=row.country,
        )
    return result


def _claims(session: Session, coop_id: UUID) -> dict[tuple[UUID, str], int]:
    book_id = ledger.book_of(session, coop_id)
    found: dict[tuple[UUID, str], int] = {}
    for account in books.balances(session, book_id, prefix="claim:"):
        try:
            found[UUID(account.code.removeprefix("claim:")), account.money.currency] = account.money.minor
        except ValueError:
            continue  # claims on cashiers and organisations are not netted against anybody's harvest
    return found


def _insert_payouts(session: Session, run: PayoutRun, plan: Plan, now: datetime) -> None:
    count = len(plan.payouts)
    numbers = session.execute(select(PAYOUT_NUMBERS.next_value()).select_from(func.generate_series(1, count))).scalars().all()
    rows: list[dict[str, object]] = []
    items: list[dict[str, object]] = []
    common = {"coop_id": str(run.coop_id), "run_id": str(run.id), "changed_at": now.isoformat(), "state": "draft"}
    for number, planned in zip(numbers, plan.payouts, strict=True):
        payout_id = new_id()
        rows.append(
            common
            | {
                "id": str(payout_id),
                "number": number,
                "payee_id": str(planned.payee_id),
                "rail": planned.details.rail,
                "currency": planned.currency,
                "gross_minor": planned.gross_minor,
                "deducted_minor": planned.deducted_minor,
                "amount_minor": planned.amount_minor,
                "source_account": SOURCES[planned.details.rail],
                "details": planned.details.frozen(),
                "reference": reference(Kind.PAYOUT, number),
                "idem_key": f"po-{payout_id}-v1",
                "uetr": str(uetr_of(payout_id)),
            }
        )
        items += [
            {"coop_id": str(run.coop_id), "payout_id": str(payout_id), "payable_id": str(payable_id), "amount_minor": minor}
            for payable_id, minor in planned.payables
        ]
    _insert_many(session, Payout, rows)
    _insert_many(session, PayoutItem, items)


def _insert_many(session: Session, model: type[Base], rows: Sequence[dict[str, object]]) -> None:
    """Insert rows as one JSON document per batch: row-level security allows it, unlike COPY, and it is as fast as arrays."""
    columns = [model.__table__.c[name] for name in rows[0]]
    for start in range(0, len(rows), _BATCH):
        source = (
            func.jsonb_to_recordset(literal(rows[start : start + _BATCH], JSONB))
            .table_valued(*(column(one.name, one.type) for one in columns))
            .render_derived(name="source", with_types=True)
        )
        session.execute(insert(model).from_select([one.name for one in columns], select(*source.c)))
