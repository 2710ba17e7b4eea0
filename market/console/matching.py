"""The matching desk: what is open over all bank accounts by age and amount, one line with its candidates side by side.

Every decision leads on to the next open line, and the last match can be taken back from where one is. The decisions
themselves are those of the line's own page (`console.statements`); here are the ones over several things at once.
"""

from uuid import UUID

from flask import Blueprint, flash, redirect, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy.orm import Session

from market.console.desk import back
from market.console.statements import match_desk
from market.console.statements.line_facts import PARTS
from market.console.statements.lines import decide, proposed
from market.http.auth import access, current_actor
from market.http.clock import now
from market.http.db import unit_of_work
from market.http.forms import BadField, no_amount
from market.http.i18n import told
from market.kernel.errors import DomainError, Missing
from market.kernel.money import Money
from market.statements import queries, service
from market.statements.service import Piece

blueprint = Blueprint("console_matching", __name__, url_prefix="/console/matching")


@blueprint.get("")
@access("staff")
def index() -> ResponseReturnValue:
    """Show the open lines with the running figures, and one of them with its candidates."""
    return match_desk.page({}, {})


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


@blueprint.post("/lines/<uuid:line_id>/payout")
@access("staff")
def of_payout(line_id: UUID) -> ResponseReturnValue:
    """Match several lines with the one payout that the bank paid in them, or book a line that paid a payout again."""
    typed = request.form.get("of_payout", "")
    others = [UUID(text) for text in request.form.getlist("line") if _is_id(text)]
    twice = request.form.get("step") == "twice"

    def act(session: Session) -> None:
        if twice:
            service.paid_twice(session, line_id=line_id, reference=typed, actor=current_actor(), now=now())
        else:
            service.pay_in_parts(session, line_id=line_id, others=others, reference=typed, actor=current_actor(), now=now())

    booked = _("Booked as a claim: the member owes it back, and it is taken off what is paid next.")
    return decide(line_id, "of_payout", act, booked if twice else _("Matched together."), settled=[str(each) for each in others])
