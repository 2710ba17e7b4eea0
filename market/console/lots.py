"""The co-op's lots: what each was made from and what was made of it, and its withdrawal, which is asked before it is done."""

from typing import Any
from uuid import UUID

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from market.console import acting, lists, words
from market.console.lists import Column, Desk, Filter
from market.http.asking import asked
from market.http.auth import access, current_actor
from market.http.clock import now
from market.http.db import unit_of_work
from market.http.entry import Entry
from market.http.i18n import show_money, show_quantity, show_unit
from market.orders import service
from market.producers import queries as producers
from market.provenance import queries
from market.provenance import withdrawal_queries as withdrawals
from market.provenance.queries import LotView
from market.provenance.service import ADVICE
from market.reports.queries import desks
from market.reports.queries.withdrawals import at_stake, reached

blueprint = Blueprint("console_lots", __name__, url_prefix="/console/lots")

UNITS = {"KGM": "kg", "GRM": "g", "LTR": "litre", "MTR": "m", "H87": "piece"}


def called(lot: Any) -> str:
    """Return what people call a lot."""
    return str(lot.name or lot.label or lot.slug)


def quantity(lot: Any, much: Any) -> str:
    """Return a quantity of a lot as it is read."""
    return f"{show_quantity(much)} {show_unit(UNITS[lot.uom], much)}"


DESK = Desk(
    name="lots",
    title=_l("Lots"),
    endpoint="console_lots.index",
    source=desks.lots,
    columns=(
        Column("name", _l("Lot"), "link", make=called),
        Column("label", _l("Number")),
        Column("producer", _l("Producer"), make=lambda row: row.producer or _("the co-op")),
        Column("made_on", _l("When"), "day"),
        Column("left", _l("Remaining"), "number", make=lambda row: quantity(row, row.left)),
        Column("state", _l("State"), "state", words.LOTS),
    ),
    filters=(
        Filter("q", _l("Name, number or producer")),
        Filter("state", _l("State"), "choice", words.options(words.LOTS)),
        Filter("from", _l("From"), "day"),
        Filter("to", _l("To"), "day"),
    ),
    kind="lot",
    empty=_l("What your members harvest and make stands here as soon as it is recorded."),
)


@blueprint.get("")
@access("staff")
def index() -> ResponseReturnValue:
    """List the co-op's lots, newest first."""
    return lists.show(DESK, "console/lots.html")


@blueprint.get("/<uuid:lot_id>")
@access("staff")
def detail(lot_id: UUID) -> ResponseReturnValue:
    """Show a lot: its kin, whether it is withdrawn and whom that reached, and the form that withdraws it."""
    return _page(lot_id)


def _page(lot_id: UUID, entry: Entry | None = None, status: int = 200) -> ResponseReturnValue:
    with unit_of_work() as session:
        lot = queries.own_lot(session, lot_id, actor=current_actor())
        made = _kin(session, lot_id, down=True)
        ever = withdrawals.withdrawals_of(session, lot_id)
        named = queries.lots_by_id(session, {each for view in ever for each in (*view.lots, *view.kept)})
        page = render_template(
            "console/lot.html",
            lot=lot,
            called=called,
            quantity=quantity,
            producer=producers.producer(session, lot.producer_id) if lot.producer_id else None,
            origins=_kin(session, lot_id, down=False),
            made=made,
            withdrawals=[(view, reached(session, view.id)) for view in ever],
            named=named,
            own=next((view for view in ever if view.lot_id == lot_id and view.ended_at is None), None),
            advice=[(code, words.ADVICE[code][0]) for code in ADVICE],
            chosen=request.form.getlist("with_lots") if entry else [str(each.id) for each in made],
            history=desks.history(session, "lot", lot_id),
            form=entry.form if entry else {},
            errors=entry.errors if entry else {},
        )
    return page, status


def _kin(session: Session, lot_id: UUID, *, down: bool) -> list[LotView]:
    """Return what a lot was made from, or what was made of it, to the ends; the oldest first."""
    found = queries.lineage(session, lot_id, down=down).lots.values()
    return sorted((each for each in found if each.id != lot_id), key=lambda each: (each.recorded_at, each.slug))


@blueprint.post("/<uuid:lot_id>/withdrawal")
@access("staff")
def withdraw(lot_id: UUID) -> ResponseReturnValue:
    """Withdraw a lot, once the person has read what it does."""
    entry = Entry(request.form)
    reason, advice = entry.text("reason", limit=1000), entry.choice("advice", ADVICE)
    with_lots = _chosen(entry)
    if not entry.errors and (question := _asked(lot_id, with_lots, reason, advice)):
        return question

    def act(session: Session) -> tuple[str, str]:
        facts: dict[str, Any] = {"lot_id": lot_id, "with_lots": with_lots, "reason": reason, "advice": advice}
        service.withdraw_lot(session, actor=current_actor(), now=now(), **facts)
        done = _("Withdrawn. Its offers have left the shop; buyers and producers are told now.")
        return done, url_for("console_lots.detail", lot_id=lot_id)

    return acting.carry_out(entry, act, again=lambda: _page(lot_id, entry, 422), otherwise="reason")


def _chosen(entry: Entry) -> list[UUID]:
    try:
        return [UUID(each) for each in request.form.getlist("with_lots")]
    except ValueError:
        entry.errors["with_lots"] = _("Please choose one of the list.")
        return []


def _asked(lot_id: UUID, with_lots: list[UUID], reason: str, advice: str) -> ResponseReturnValue | None:
    """Say what the withdrawal will do, with numbers, and ask once more."""
    with unit_of_work() as session:
        lot = queries.own_lot(session, lot_id, actor=current_actor())
        made = _kin(session, lot_id, down=True)
        stake = at_stake(session, [lot_id, *with_lots])
    also = [called(each) for each in made if each.id in with_lots]
    kept = [called(each) for each in made if each.id not in with_lots]
    facts: list[tuple[str, Any]] = [(_("Reason"), reason), (_("Who has it already"), words.ADVICE[advice][0])]
    facts += [(_("Withdrawn with it"), ", ".join(also))] if also else []
    facts += [(_("Made from it, stays on sale"), ", ".join(kept))] if kept else []
    facts += [
        (_("Offers that leave the shop"), show_quantity(stake.offers)),
        (_("Unpaid orders that are cancelled"), show_quantity(stake.unpaid)),
        (_("Orders not sent yet: nothing is sent, and the buyer pays nothing for it"), show_quantity(stake.unsent)),
        (_("Orders sent already: the buyer is told"), show_quantity(stake.sent)),
    ]
    if stake.back:
        facts.append((_("Goes back to buyers"), ", ".join(show_money(each) for each in stake.back)))
    return asked(
        _("Withdraw the lot “%(lot)s”?", lot=called(lot)),
        facts,
        _("Buyers and producers get a letter at once, and the page of the lot shows the reason to everybody. If it was a mistake "
          "you can take it back; what was cancelled and paid back stays so."),
        _("Yes, withdraw it"),
        again=lambda: _page(lot_id, Entry(request.form)),
    )  # fmt: skip


@blueprint.post("/<uuid:lot_id>/withdrawal/end")
@access("staff")
def take_back(lot_id: UUID) -> ResponseReturnValue:
    """Take a withdrawal back that was a mistake."""
    entry = Entry(request.form)
    reason = entry.text("end_reason", limit=1000)

    def act(session: Session) -> tuple[str, str]:
        service.take_back_withdrawal(session, actor=current_actor(), lot_id=lot_id, reason=reason, now=now())
        done = _("Taken back. Whoever was told is told that, too; the offers can be published again.")
        return done, url_for("console_lots.detail", lot_id=lot_id)

    return acting.carry_out(entry, act, again=lambda: _page(lot_id, entry, 422), otherwise="end_reason")
