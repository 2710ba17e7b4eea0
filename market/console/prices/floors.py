"""The co-op's own floors."""

from datetime import date
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID

from flask import current_app, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from market.console import lists, words
from market.console.acting import carry_out
from market.console.earning_lists import DAYS
from market.console.lists import Column, Desk, Filter
from market.console.prices.base import UNIT_OPTIONS, blueprint, consequence
from market.http.asking import asked
from market.http.auth import access, current_actor
from market.http.clock import now, today
from market.http.entry import Entry
from market.http.i18n import show_quantity
from market.pricing import queries, service
from market.pricing.rules import UNITS, CostBuildUp, Goods, Material
from market.reports.queries import desks


def _pane(session: Session, floor_id: UUID) -> dict[str, Any]:
    return {"floor": queries.coop_floor(session, floor_id), "history": desks.history(session, "coop_floor", floor_id)}


FLOORS = Desk(
    name="floors",
    title=_l("The co-op's own floors"),
    endpoint="console_prices.floors",
    source=desks.floors,
    columns=(
        Column("title", _l("Goods"), "link"),
        Column("amount", _l("Least price"), "price"),
        Column("unit", _l("Unit"), make=lambda row: row.unit.replace("_", " ")),
        Column("decided_by_body", _l("Decided by")),
        Column("decided_on", _l("Decided on"), "day"),
        Column("review_by", _l("To be reviewed by"), "day"),
        Column("state", _l("State"), "state", words.FLOORS),
    ),
    filters=(
        Filter("q", _l("Goods")),
        Filter("state", _l("State"), "choice", words.options(words.FLOORS, ("counts", _l("all that count")))),
        *DAYS,
    ),
    sortings=(("title", _l("by name")), ("newest", _l("newest first")), ("review", _l("first to be reviewed"))),
    pane=_pane,
    lead=_l(
        "For goods without a published minimum the co-op decides the least price, built up from its costs. The inputs are public."
    ),
    empty=_l("Enter what the assembly or the board decided."),
)


@blueprint.get("/floors")
@access("staff")
def floors() -> ResponseReturnValue:
    """List the co-op's own floors, with the form for a decision."""
    return _floors_page({}, {})


def _floors_page(form: dict[str, str], errors: dict[str, str]) -> ResponseReturnValue:
    facts = {"form": form, "errors": errors, "units": UNIT_OPTIONS, "today": today()}
    return lists.answered(lists.show(FLOORS, "console/prices/floors.html", **facts), errors)


@blueprint.post("/floors")
@access("approver")
def decide_floor() -> ResponseReturnValue:
    """Enter what the co-op's body decided: an amount, or the costs that it is built from."""
    entry, actor = Entry(request.form), current_actor()
    currency = entry.text("currency", limit=3).upper()
    values: dict[str, Any] = {
        "coop_id": actor.coop_id,
        "goods": Goods(
            entry.text("product", limit=100), entry.text("variety", required=False), entry.text("form", required=False)
        ),
        "title": entry.text("title", limit=100),
        "unit": entry.choice("unit", UNITS, default="piece"),
        "currency": currency,
        "decided_by_body": entry.text("decided_by_body", limit=100),
        "decided_on": entry.day("decided_on"),
        "amount": entry.decimal("amount", required=False),
        "build_up": _build_up(entry, currency),
    }
    if values["amount"] is None and values["build_up"] is None and not entry.errors:
        entry.errors["amount"] = _("Enter the amount, or the costs that it is built from.")
    if not entry.errors and (question := _asked_floor(values)):
        return question

    def command(session: Session) -> tuple[str, str]:
        service.decide_floor(session, **values, actor=actor, now=now())
        return _("The floor is in force."), url_for("console_prices.floors")

    return carry_out(entry, command, again=lambda: _floors_page(dict(request.form), entry.errors), otherwise="amount")


def _asked_floor(values: dict[str, Any]) -> ResponseReturnValue | None:
    amount = values["amount"]
    per = f"{values['currency']} / {values['unit'].replace('_', ' ')}"
    facts = [
        (_("Goods"), values["title"]),
        (_("Amount"), f"{show_quantity(amount)} {per}" if amount is not None else _("built from its costs, in %(per)s", per=per)),
        (_("Decided by"), values["decided_by_body"]),
        (_("Decided on"), current_app.jinja_env.filters["day"](values["decided_on"])),
    ]
    again = partial(_floors_page, dict(request.form), {})
    return asked(_("Let this floor count?"), facts, consequence(), _("Yes, it was decided so"), again=again)


def _build_up(entry: Entry, currency: str) -> CostBuildUp | None:
    """Return the cost build-up, when any of its fields was filled in; then all are needed."""
    names = (
        "materials",
        "hours_per_piece",
        "living_wage_month",
        "hours_month",
        "overhead_per_piece",
        "reserve_pct",
        "price_step",
    )
    if not any(entry.form.get(name, "").strip() for name in names):
        return None
    given = {name: entry.decimal(name, zero=True) or Decimal(0) for name in names}
    if not given["hours_month"] or not given["price_step"]:
        missing = "price_step" if given["hours_month"] else "hours_month"
        entry.errors.setdefault(missing, _("Please enter a number above zero."))
        return None
    materials = (Material("materials", Decimal(1), given.pop("materials")),)
    wage_on: date | None = entry.day("wage_on", required=False)
    source, place = entry.text("wage_source", required=False), entry.text("wage_place", required=False)
    return CostBuildUp(currency=currency, materials=materials, **given, wage_source=source, wage_place=place, wage_on=wage_on)
