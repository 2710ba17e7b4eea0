"""The matching desk: what is open over all bank accounts by age and amount, one line with its candidates side by side.

Every decision leads on to the next open line, and the last match can be taken back from where one is. The decisions
themselves are those of the line's own page (`console.statements`); here are the ones over several things at once.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, redirect, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from sqlalchemy.orm import Session

from market.console import lists, words
from market.console.desk import back
from market.console.lists import Column, Desk, Filter
from market.console.statements.lines import PARTS, book_alone, bookable, decide, proposed, proposer_of
from market.http.auth import access, current_actor, current_coop
from market.http.clock import now
from market.http.db import unit_of_work
from market.http.forms import BadField, no_amount
from market.http.i18n import told
from market.kernel.errors import DomainError, Missing
from market.kernel.money import Money, exponent
from market.reports.queries import desks, matching
from market.statements import queries, service
from market.statements.service import Piece

blueprint = Blueprint("console_matching", __name__, url_prefix="/console/matching")


def _pane(session: Session, line_id: UUID) -> Mapping[str, Any]:
    line = queries.line(session, line_id)
    return {
        "line": line,
        "candidates": matching.candidates(session, line),
        "choices": bookable(line.money),
        "parts": PARTS,
        "alone": book_alone(session),
        "history": desks.history(session, "statement_line", line_id),
        "proposer": proposer_of(session, line),
        "me": current_actor(),
    }


DESK = Desk(
    name="matching",
    title=_l("Matching"),
    endpoint="console_matching.index",
    source=matching.lines,
    columns=(
        Column("booked_on", _l("Day"), "day"),
        Column("who", _l("From or to"), "link"),
        Column("text", _l("Text")),
        Column("amount_minor", _l("Amount"), "money"),
        Column("rest_minor", _l("Unexplained"), "money"),
        Column("state", _l("State"), "state", words.LINES),
    ),
    filters=(
        Filter("show", _l("Which lines"), "choice", words.SHOWN, default="open"),
        Filter("account", _l("Account")),
        Filter("way", _l("Direction"), "choice", (("in", _l("money in")), ("out", _l("money out")))),
        Filter("q", _l("Name or reference")),
        Filter("amount", _l("Amount"), "amount"),
        Filter("from", _l("From"), "day"),
        Filter("to", _l("To"), "day"),
    ),
    sortings=(("oldest", _l("oldest first")), ("largest", _l("largest amount first")), ("newest", _l("newest first"))),
    pane=_pane,
    empty=_l("Every line of this kind is worked off."),
)


@blueprint.get("")
@access("staff")
def index() -> ResponseReturnValue:
    """Show the open lines with the running figures, and one of them with its candidates."""
    with unit_of_work() as session:
        accounts = [(row, queries.figures(session, row.id)) for row in queries.accounts(session, coop_id=current_coop())]
        exact = {row.id: service.exact_suggestions(session, account_id=row.id) for row, _figures in accounts}
        last, ruled = _last(session), _rule(session)
    choice = Filter("account", _l("Account"), "choice", tuple((str(row.id), row.name) for row, _figures in accounts))
    desk = replace(DESK, filters=[choice if each.name == "account" else each for each in DESK.filters] + ruled)
    facts = {"accounts": accounts, "exact": exact, "last": last, "digits": exponent}
    return lists.show(desk, "console/matching.html", **facts)


def _rule(session: Session) -> list[Filter]:
    """Return the filter by the rule that the address names, with its name; none without one."""
    try:
        rule = queries.rule(session, UUID(request.args.get("rule", "")))
    except (ValueError, Missing):
        return []
    return [Filter("rule", _l("Rule"), "choice", ((str(rule.id), rule.counterparty or " ".join(rule.words)),))]


def _last(session: Session) -> queries.LineView | None:
    """Return the line that was decided last, so that the decision can be taken back at once."""
    try:
        return queries.line(session, UUID(request.args.get("last", "")))
    except (ValueError, Missing):
        return None


@blueprint.post("/exact/<uuid:account_id>")
@access("staff")
def accept_exact(account_id: UUID) -> ResponseReturnValue:
    """Accept every suggestion of an account that explains its line to the cent and is the only one."""
    try:
        with unit_of_work() as session:
            wanted = service.exact_suggestions(session, account_id=account_id)
            count = service.accept_many(session, account_id=account_id, suggestion_ids=wanted, actor=current_actor(), now=now())
    except Missing:
        raise
    except DomainError as refusal:
        flash(told(refusal.detail), "bad")
    else:
        flash(ngettext("%(num)d line is matched.", "%(num)d lines are matched.", count), "good")
    return redirect(back(), 303)


@blueprint.post("/lines/<uuid:line_id>/together")
@access("staff")
def together(line_id: UUID) -> ResponseReturnValue:
    """Accept the ticked candidates of a line together, the only one with an amount of its own."""
    ids = [UUID(text) for text in request.form.getlist("suggestion") if _is_id(text)]

    def act(session: Session) -> None:
        amounts = _amounts(session, line_id, ids)
        service.accept_several(session, line_id=line_id, suggestion_ids=ids, amounts=amounts, actor=current_actor(), now=now())

    return decide(line_id, "suggestion", act, _("Matched."))


def _amounts(session: Session, line_id: UUID, ids: list[UUID]) -> dict[UUID, int]:
    currency = queries.line(session, line_id).money.currency
    found = {}
    for suggestion_id in ids:
        if text := request.form.get(f"amount-{suggestion_id}", "").strip():
            found[suggestion_id] = _minor(text, currency, f"/amount-{suggestion_id}")
    return found


def _is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def _minor(text: str, currency: str, pointer: str) -> int:
    try:
        return Money.written(text, currency).minor
    except ValueError as refusal:
        raise BadField(no_amount(refusal), pointer=pointer) from refusal


@blueprint.post("/lines/<uuid:line_id>/split")
@access("staff")
def split(line_id: UUID) -> ResponseReturnValue:
    """Explain a line in parts: each by a reference of ours or booked with a reason."""

    made: list[UUID] = []

    def act(session: Session) -> None:
        currency = queries.line(session, line_id).money.currency
        pieces = [
            Piece(
                minor=_minor(request.form.get(f"minor-{n}", ""), currency, f"/minor-{n}"),
                reference=request.form.get(f"reference-{n}", "").strip(),
                account_code=request.form.get(f"account-{n}", ""),
                reason=request.form.get(f"reason-{n}", ""),
            )
            for n in PARTS
            if request.form.get(f"minor-{n}", "").strip()
        ]
        made.extend(service.split_or_propose(session, line_id=line_id, pieces=pieces, actor=current_actor(), now=now()) or ())

    return decide(line_id, "minor-1", act, lambda: str(_("Split and matched.")) if made else proposed())
