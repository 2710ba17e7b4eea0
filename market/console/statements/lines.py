"""One line, and what a person decides about it."""

from collections.abc import Callable, Sequence
from uuid import UUID

from flask import flash, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from market.console import acting
from market.console.desk import back
from market.console.statements import match_desk
from market.console.statements.base import blueprint
from market.console.statements.line_facts import PARTS, facts
from market.http import sending
from market.http.auth import access, current_actor
from market.http.clock import now
from market.http.db import unit_of_work
from market.http.entry import Entry
from market.kernel.errors import DomainError, Missing
from market.statements import queries, service

_FIELDS = {"reference", "of_payout", "account_code", "amount", "reason", "question", "undo_reason", "answer"} | {
    f"{name}-{n}" for n in PARTS for name in ("minor", "reference", "account", "reason")
}


@blueprint.get("/lines/<uuid:line_id>")
@access("staff")
def line(line_id: UUID) -> ResponseReturnValue:
    """Show a line with its candidates, its matches, and every way to explain it."""
    return _line_page(line_id, {}, {})


def _line_page(line_id: UUID, form: dict[str, str], errors: dict[str, str]) -> ResponseReturnValue:
    with unit_of_work() as session:
        row = queries.line(session, line_id)
        account = queries.account(session, row.account_id)
        shown = facts(session, row)
    page = render_template("console/statements/line.html", form=form, errors=errors, account=account, **shown)
    return page, 422 if errors else 200


def _again(line_id: UUID, errors: dict[str, str]) -> ResponseReturnValue:
    """Show the page that the form stands on, the desk or the line's own, with what was wrong and what was typed."""
    form = dict(request.form)
    return match_desk.page(form, errors, line_id) if form.get("back") else _line_page(line_id, form, errors)


def decide(
    line_id: UUID,
    otherwise: str,
    act: Callable[[Session], object],
    said: str | Callable[[], str],
    settled: Sequence[str] = (),
) -> ResponseReturnValue:
    """Carry out a decision about a line and go on, or stay where the form stands, with what was wrong and what was typed.

    The way leads back to where the form says, else to the line; it opens no line that was `settled` too. `said` is what is
    told, or says it once it is done.
    """
    entry = Entry(request.form)
    try:
        with unit_of_work() as session:
            if (before := sending.answered(session)) is not None:
                return before
            act(session)
            then = back() if request.form.get("back") else url_for("console_statements.line", line_id=line_id)
            for each in settled:
                then = then.replace(f"open={each}", "")
            answer = sending.done(session, then)
    except DomainError as refusal:
        if isinstance(refusal, Missing):
            raise
        entry.refused(refusal, otherwise=otherwise)
        errors = {name if name in _FIELDS else "form": words for name, words in entry.errors.items()}
        return _again(line_id, errors)
    flash(said if isinstance(said, str) else said(), "good")
    return answer


@blueprint.post("/lines/<uuid:line_id>/accept/<uuid:suggestion_id>")
@access("staff")
def accept(line_id: UUID, suggestion_id: UUID) -> ResponseReturnValue:
    """Accept a suggestion."""

    def act(session: Session) -> None:
        service.accept_suggestion(session, suggestion_id=suggestion_id, line_id=line_id, actor=current_actor(), now=now())

    return decide(line_id, "form", act, _("Matched."))


@blueprint.post("/lines/<uuid:line_id>/dismiss/<uuid:suggestion_id>")
@access("staff")
def dismiss(line_id: UUID, suggestion_id: UUID) -> ResponseReturnValue:
    """Reject a suggestion for good."""

    def act(session: Session) -> None:
        service.dismiss_suggestion(session, suggestion_id=suggestion_id, actor=current_actor(), now=now())

    return decide(line_id, "form", act, _("Rejected. It will not be suggested again."))


@blueprint.post("/lines/<uuid:line_id>/reference")
@access("staff")
def reference(line_id: UUID) -> ResponseReturnValue:
    """Match a line by a reference that a person knows."""
    typed = request.form.get("reference", "")

    def act(session: Session) -> None:
        service.match_reference(session, line_id=line_id, reference=typed, actor=current_actor(), now=now())

    return decide(line_id, "reference", act, _("Matched."))


@blueprint.post("/lines/<uuid:line_id>/book")
@access("staff")
def book(line_id: UUID) -> ResponseReturnValue:
    """Book a line, or a part of it, as something with a reason."""
    entry = Entry(request.form)
    with unit_of_work() as session:
        currency = queries.line(session, line_id).money.currency
    amount = entry.amount("amount", currency, required=False)
    if entry.errors:
        return _again(line_id, entry.errors)

    made: list[UUID] = []
    always = request.form.get("always") == "yes"

    def act(session: Session) -> None:
        match_id = service.book_or_propose(
            session, line_id=line_id, account_code=request.form.get("account_code", ""), reason=request.form.get("reason", ""),
            amount_minor=amount.minor if amount else None, actor=current_actor(), now=now(),
        )  # fmt: skip
        if match_id is None:
            return
        made.append(match_id)
        if always:
            service.make_rule(
                session, line_id=line_id, account_code=request.form.get("account_code", ""),
                reason=request.form.get("reason", ""), actor=current_actor(), now=now(),
            )  # fmt: skip

    def told() -> str:
        if not made:
            return proposed_without_rule() if always else proposed()
        return str(_("Booked, and lines like it are suggested so from now on.") if always else _("Booked."))

    return decide(line_id, "account_code", act, told)


def proposed() -> str:
    """Return what is told when a decision takes two persons."""
    return str(_("Proposed. Somebody who approves finds it on their first page and decides."))


def proposed_without_rule() -> str:
    """Return what is told when a decision takes two persons and was to become a rule."""
    return str(
        _(
            "Proposed. Somebody who approves finds it on their first page and decides. No rule was made: only somebody who may"
            " book so much alone makes one."
        )
    )


@blueprint.post("/proposals/<uuid:proposal_id>")
@access("staff")
def decide_proposal(proposal_id: UUID) -> ResponseReturnValue:
    """Accept or decline a proposed booking; whoever proposed it takes it back."""
    accepted = acting.agreed()
    with unit_of_work() as session:
        line_id = queries.line_of_proposal(session, proposal_id)

    def act(session: Session) -> None:
        service.decide_proposal(
            session, proposal_id=proposal_id, accepted=accepted, answer=request.form.get("answer", ""), actor=current_actor(),
            now=now(),
        )  # fmt: skip

    return decide(line_id, "answer", act, _("Booked.") if accepted else _("Declined. The line waits again."))


@blueprint.post("/lines/<uuid:line_id>/park")
@access("staff")
def park(line_id: UUID) -> ResponseReturnValue:
    """Put a line aside with a question, or take it back with an empty one."""
    question = request.form.get("question", "")

    def act(session: Session) -> None:
        service.park_line(session, line_id=line_id, question=question, actor=current_actor(), now=now())

    return decide(line_id, "question", act, _("Put aside. It stands under “questions” until somebody explains it."))


@blueprint.post("/lines/<uuid:line_id>/undo/<uuid:match_id>")
@access("staff")
def undo(line_id: UUID, match_id: UUID) -> ResponseReturnValue:
    """Take one match back."""
    reason = request.form.get("undo_reason", "")

    def act(session: Session) -> None:
        service.undo_match(session, match_id=match_id, reason=reason, actor=current_actor(), now=now())

    return decide(line_id, "undo_reason", act, _("Taken back. The line waits again."))
