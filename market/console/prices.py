"""Staff pages of price tables: import, review by a second person, market prices, the co-op's own floors."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from market.accounts import queries as people
from market.console import lists, price_changes, words
from market.console.acting import asked
from market.console.lists import Column, Desk, Filter
from market.http.auth import access, current_actor, current_coop
from market.http.clock import now, today
from market.http.db import unit_of_work
from market.http.entry import Entry
from market.http.i18n import show_quantity
from market.kernel.errors import DomainError
from market.pricing import queries, service
from market.pricing.rules import UNITS, CostBuildUp, Goods, Material
from market.pricing.rules.references import SCHEME_NAMES
from market.pricing.rules.tables import HEADS, FileFacts
from market.reports.queries import desks

blueprint = Blueprint("console_prices", __name__, url_prefix="/console")
SCHEMES = [(code, name) for code, name in SCHEME_NAMES.items() if code not in ("law", "living_income")]
UNIT_OPTIONS = [(code, code.replace("_", " ")) for code in UNITS]
_NUMBERS = ("minimum_price", "premium", "organic_differential")
_DAYS = ("valid_from", "valid_to")


def _pane(session: Session, reference_id: UUID) -> dict[str, Any]:
    return {
        "reference": queries.reference(session, reference_id),
        "earlier": desks.price_changes(session, reference_id=reference_id),
        "history": desks.history(session, "price_reference", reference_id),
    }


ROWS = Desk(
    name="prices",
    title=_l("Price tables"),
    endpoint="console_prices.references",
    source=desks.price_rows,
    columns=(
        Column("goods", _l("Goods"), "link"),
        Column("scheme", _l("Scheme"), words={code: (name, "") for code, name in SCHEME_NAMES.items()}),
        Column("geo_code", _l("Where")),
        Column("quality", _l("Quality")),
        Column("minimum_price", _l("Minimum"), "number"),
        Column("premium", _l("Premium"), "number"),
        Column("currency", _l("Currency")),
        Column("valid_from", _l("In force from"), "day"),
        Column("status", _l("State"), "state", words.PRICE_ROWS),
    ),
    filters=(
        Filter("q", _l("Goods")),
        Filter("status", _l("State"), "choice", words.options(words.PRICE_ROWS)),
        Filter("scheme", _l("Scheme"), "choice", tuple(SCHEME_NAMES.items())),
        Filter("product", _l("Code of the product")),
    ),
    sortings=(("waiting", _l("waiting ones first")), ("newest", _l("newest first"))),
    pane=_pane,
    empty=_l("Import a price table; each row gets an answer."),
)


@blueprint.get("/prices")
@access("staff")
def references() -> ResponseReturnValue:
    """Show the rows of the price tables, those that wait for a person first, and the imports."""
    with unit_of_work() as session:
        batches = queries.batches(session)
    return lists.show(ROWS, "console/prices/references.html", batches=batches[:6])


@blueprint.get("/prices/changes")
@access("staff")
def changes() -> ResponseReturnValue:
    """Show what each edition of a price table changed against the one before it."""
    scheme = request.args.get("scheme", "")
    with unit_of_work() as session:
        rows = desks.price_changes(session, scheme=scheme if scheme in SCHEME_NAMES else None)
    return render_template("console/prices/changes.html", rows=rows, scheme=scheme, schemes=list(SCHEME_NAMES.items()))


@blueprint.get("/prices/<uuid:reference_id>")
@access("staff")
def reference(reference_id: UUID) -> ResponseReturnValue:
    """Show one row with what keeps it waiting, and what can be done about it."""
    return _reference_page(reference_id, {}, {})


def _reference_page(reference_id: UUID, form: dict[str, str], errors: dict[str, str]) -> ResponseReturnValue:
    with unit_of_work() as session:
        row = queries.reference(session, reference_id)
        labels = (row.entered_by, row.approved_by, row.confirmed_by)
        names = people.names_of_staff(session, labels, coop_id=current_coop())
        history = desks.history(session, "price_reference", reference_id)
    facts = {"row": row, "names": names, "schemes": SCHEMES, "me": current_actor().label, "history": history}
    page = render_template("console/prices/reference.html", form=form, errors=errors, **facts)
    return page, 422 if errors else 200


@blueprint.post("/prices/<uuid:reference_id>/correct")
@access("staff")
def correct(reference_id: UUID) -> ResponseReturnValue:
    """Enter a new row with what the old one lacks; only fields that were filled in change."""
    entry = Entry(request.form)
    changes: dict[str, Any] = {}
    for name in ("scheme", "incoterm", "relevant_market", "organic_rule", "source_name", "note"):
        if value := entry.text(name, required=False):
            changes[name] = value
    numbers = {name: entry.decimal(name, required=False) for name in _NUMBERS}
    days = {name: entry.day(name, required=False) for name in _DAYS}
    changes |= {name: given for name, given in (numbers | days).items() if given is not None}
    if not changes and not entry.errors:
        entry.errors["source_name"] = _("Fill in at least one field that is to change.")

    def act(session: Session) -> str:
        new = service.correct_reference(session, reference_id=reference_id, changes=changes, actor=current_actor(), now=now())
        flash(_("Entered. A second person must approve it."), "success")
        return url_for("console_prices.reference", reference_id=new.id)

    return _carry_out(entry, act, lambda: _reference_page(reference_id, dict(request.form), entry.errors), "source_name")


@blueprint.post("/prices/<uuid:reference_id>/approve")
@access("approver")
def approve(reference_id: UUID) -> ResponseReturnValue:
    """Activate a row as the second person."""
    if question := _asked(reference_id, _("Let this row count?"), _("Yes, approve it")):
        return question
    with unit_of_work() as session:
        service.approve_reference(session, reference_id=reference_id, actor=current_actor(), now=now())
    return _done(_("The row is active."), reference_id)


@blueprint.post("/prices/<uuid:reference_id>/confirm")
@access("approver")
def confirm(reference_id: UUID) -> ResponseReturnValue:
    """Say that the row agrees with its source, naming the document where there is one."""
    document = request.form.get("document_hash", "").strip().lower()
    if question := _asked(reference_id, _("Does this row agree with its source?"), _("Yes, confirm it")):
        return question
    with unit_of_work() as session:
        service.confirm_reference(
            session, reference_id=reference_id, actor=current_actor(), now=now(), document_hash=document[:128]
        )
    return _done(_("The row is confirmed; from now on it decides."), reference_id)


def _asked(reference_id: UUID, question: str, button: str) -> ResponseReturnValue | None:
    """Ask once more, old and new values side by side: what decides about prices is taken back by a new row only."""
    with unit_of_work() as session:
        facts = price_changes.of_row(queries.change_of(session, reference_id))
    again = partial(_reference_page, reference_id, dict(request.form), {})
    return asked(question, facts, _consequence(), button, again=again)


def _consequence() -> str:
    return str(
        _(
            "From its first day on, what counts decides about offers: those below a new floor are checked again at once and leave"
            " the shop. It is changed by a new row only, which two people make."
        )
    )


@blueprint.post("/prices/<uuid:reference_id>/reject")
@access("approver")
def reject(reference_id: UUID) -> ResponseReturnValue:
    """Set a waiting row aside."""
    reason = request.form.get("reason", "").strip()[:300] or "no reason given"
    with unit_of_work() as session:
        service.reject_reference(session, reference_id=reference_id, actor=current_actor(), now=now(), reason=reason)
    return _done(_("The row is set aside."), reference_id)


def _done(message: str, reference_id: UUID) -> ResponseReturnValue:
    flash(message, "success")
    return redirect(url_for("console_prices.reference", reference_id=reference_id), 303)


@blueprint.get("/prices/import")
@access("staff")
def import_form() -> ResponseReturnValue:
    """Show the form for a price table."""
    return _import_page({}, {})


def _import_page(form: dict[str, str], errors: dict[str, str]) -> ResponseReturnValue:
    page = render_template("console/prices/import.html", form=form, errors=errors, profiles=list(HEADS), schemes=SCHEMES)
    return page, 422 if errors else 200


@blueprint.post("/prices/import")
@access("staff")
def import_table() -> ResponseReturnValue:
    """Read a price table and keep it with an answer to every row."""
    entry = Entry(request.form)
    facts = FileFacts(
        profile=entry.choice("profile", HEADS),
        scheme=entry.choice("scheme", dict(SCHEMES)),
        source_name=entry.text("source_name"),
        decimal_mark=entry.choice("decimal_mark", (".", ","), default="."),
        date_style=entry.choice("date_style", ("iso", "dmy", "mdy"), default="iso"),
    )
    upload = request.files.get("file")
    data = upload.read(5_000_001) if upload else b""
    if not data or len(data) > 5_000_000:
        entry.errors["file"] = _("Please choose a CSV file of at most 5 MB.")

    def act(session: Session) -> str:
        found = service.import_prices(session, data=data, facts=facts, actor=current_actor(), now=now(), on=today())
        flash(_("The table is read. A second person must approve it."), "success")
        return url_for("console_prices.batch", batch_id=found.batch_id)

    return _carry_out(entry, act, lambda: _import_page(dict(request.form), entry.errors), "file")


@blueprint.get("/prices/imports/<uuid:batch_id>")
@access("staff")
def batch(batch_id: UUID) -> ResponseReturnValue:
    """Show an import row by row."""
    with unit_of_work() as session:
        found = queries.batch(session, batch_id)
        rows = queries.batch_rows(session, batch_id)
        waiting = found.state == "waiting"
        changes = [each for each in queries.batch_changes(session, batch_id) if price_changes.differs(each)] if waiting else []
    return render_template("console/prices/batch.html", batch=found, rows=rows, changes=changes, me=current_actor().label)


@blueprint.post("/prices/imports/<uuid:batch_id>/<any(approve, refuse):decision>")
@access("approver")
def decide(batch_id: UUID, decision: str) -> ResponseReturnValue:
    """Take an import over as the second person, or refuse it."""
    if decision == "approve":
        with unit_of_work() as session:
            source = queries.batch(session, batch_id).source_name
            facts = [(_("Source"), source), *price_changes.of_table(queries.batch_changes(session, batch_id))]
        button = _("Yes, take it over")
        if question := asked(_("Take this table over?"), facts, _consequence(), button, again=lambda: batch(batch_id)):
            return question
    with unit_of_work() as session:
        if decision == "approve":
            new = service.approve_import(session, batch_id=batch_id, actor=current_actor(), now=now())
            flash(_("%(number)s rows were taken over.", number=len(new)), "success")
        else:
            service.refuse_import(session, batch_id=batch_id, actor=current_actor(), now=now())
            flash(_("The import is refused; nothing was taken over."), "success")
    return redirect(url_for("console_prices.batch", batch_id=batch_id), 303)


@blueprint.get("/market-prices")
@access("staff")
def quotes() -> ResponseReturnValue:
    """Show market prices and exchange rates with their sources, and the forms for new ones."""
    return _quotes_page({}, {})


def _quotes_page(form: dict[str, str], errors: dict[str, str]) -> ResponseReturnValue:
    with unit_of_work() as session:
        quoted, rates, wanted = queries.quotes(session), queries.rates(session), queries.wanted_markets(session, today())
    page = render_template(
        "console/prices/quotes.html",
        quotes=quoted,
        rates=rates,
        wanted=wanted,
        form=form,
        errors=errors,
        units=UNIT_OPTIONS,
        today=today(),
        me=current_actor().label,
    )
    return page, 422 if errors else 200


@blueprint.post("/market-prices")
@access("staff")
def enter_quote() -> ResponseReturnValue:
    """Enter a market price with its source."""
    entry = Entry(request.form)
    values: dict[str, Any] = {
        "market": entry.text("market", limit=60),
        "price": entry.decimal("price"),
        "addition": entry.decimal("addition", required=False, zero=True) or Decimal(0),
        "addition_label": entry.text("addition_label", required=False, limit=60),
        "unit": entry.choice("unit", UNITS),
        "currency": entry.text("currency", limit=3).upper(),
        "quoted_on": entry.day("quoted_on"),
        "source_name": entry.text("source_name"),
    }

    def act(session: Session) -> str:
        service.enter_quote(session, **values, actor=current_actor(), now=now())
        flash(_("The market price is entered."), "success")
        return url_for("console_prices.quotes")

    return _carry_out(entry, act, lambda: _quotes_page(dict(request.form), entry.errors), "market")


@blueprint.post("/market-prices/<uuid:quote_id>/check")
@access("approver")
def check_quote(quote_id: UUID) -> ResponseReturnValue:
    """Say as the second person that a market price agrees with its source."""
    with unit_of_work() as session:
        service.check_quote(session, quote_id=quote_id, actor=current_actor(), now=now())
    flash(_("Checked."), "success")
    return redirect(url_for("console_prices.quotes"), 303)


@blueprint.post("/market-prices/rates")
@access("staff")
def enter_rate() -> ResponseReturnValue:
    """Enter an exchange rate with its source."""
    entry = Entry(request.form)
    values: dict[str, Any] = {
        "base": entry.text("base", limit=3).upper(),
        "quote": entry.text("quote", limit=3).upper(),
        "rate": entry.decimal("rate"),
        "rate_on": entry.day("rate_on"),
        "source_name": entry.text("rate_source"),
    }

    def act(session: Session) -> str:
        service.enter_rate(session, **values, actor=current_actor(), now=now())
        flash(_("The rate is entered."), "success")
        return url_for("console_prices.quotes")

    return _carry_out(entry, act, lambda: _quotes_page(dict(request.form), entry.errors), "rate")


@blueprint.get("/floors")
@access("staff")
def floors() -> ResponseReturnValue:
    """Show the co-op's own floors and the form for a decision."""
    return _floors_page({}, {})


def _floors_page(form: dict[str, str], errors: dict[str, str]) -> ResponseReturnValue:
    actor = current_actor()
    with unit_of_work() as session:
        found = queries.coop_floors(session, actor.coop_id) if actor.coop_id else []
    page = render_template(
        "console/prices/floors.html", floors=found, form=form, errors=errors, units=UNIT_OPTIONS, today=today()
    )
    return page, 422 if errors else 200


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

    def act(session: Session) -> str:
        service.decide_floor(session, **values, actor=actor, now=now())
        flash(_("The floor is in force."), "success")
        return url_for("console_prices.floors")

    return _carry_out(entry, act, lambda: _floors_page(dict(request.form), entry.errors), "amount")


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
    return asked(_("Let this floor count?"), facts, _consequence(), _("Yes, it was decided so"), again=again)


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


def _carry_out(
    entry: Entry, act: Callable[[Session], str], again: Callable[[], ResponseReturnValue], otherwise: str
) -> ResponseReturnValue:
    """Do `act` in one unit of work and go where it says, or show the form again with what was typed."""
    if entry.errors:
        return again()
    try:
        with unit_of_work() as session:
            target = act(session)
    except DomainError as refusal:
        if refusal.kind not in ("invalid", "conflict"):
            raise
        entry.refused(refusal, otherwise=otherwise)
        return again()
    return redirect(target, 303)
