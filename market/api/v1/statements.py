"""Bank accounts, statement files, lines and matches, and the close of periods, for programs."""

from typing import Any
from uuid import UUID

from flask import Response, request
from sqlalchemy.orm import Session

from market.api.openapi import Blueprint
from market.api.v1.schemas import statements as shapes
from market.api.v1.schemas.deciding import WordIn
from market.http.auth import access, current_actor, current_coop
from market.http.clock import now
from market.http.db import unit_of_work
from market.http.idempotency import once
from market.kernel.money import Money
from market.statements import queries, service
from market.statements.rules.readers.source import MAX_BYTES

blueprint = Blueprint(
    "statements", __name__, url_prefix="/statements", description="Bank statements, what their lines mean, and closed periods."
)
READ, WRITE = "statements:read", "statements:write"


def _account(session: Any, row: queries.AccountView) -> dict[str, Any]:
    figures = queries.figures(session, row.id)
    return {"id": row.id, "name": row.name, "iban": row.iban, "currency": row.currency, "figures": figures}


@blueprint.get("/accounts")
@access("staff", scope=READ)
@blueprint.response(200, shapes.BankAccountsOut)
def accounts() -> dict[str, Any]:
    """List the co-op's bank accounts with their running figures."""
    with unit_of_work() as session:
        return {"items": [_account(session, row) for row in queries.accounts(session, coop_id=current_coop())]}


@blueprint.post("/accounts")
@access("approver", scope=WRITE)
@blueprint.arguments(shapes.BankAccountIn)
@blueprint.response(201, shapes.BankAccountOut)
def open_account(body: dict[str, Any]) -> dict[str, Any]:
    """Register a bank account with what lies on it; a second registration of the same IBAN is refused."""
    opening = body.pop("opening")
    with unit_of_work() as session:
        row = service.open_account(
            session, coop_id=current_coop(), actor=current_actor(), now=now(), opening=opening and Money(**opening), **body
        )
        return _account(session, queries.account(session, row.id))


@blueprint.post("/accounts/<uuid:account_id>/files")
@access("staff", scope=WRITE, largest=MAX_BYTES)
@blueprint.arguments(shapes.StatementUploadQuery, location="query")
@blueprint.doc(requestBody={"required": True, "content": {"application/xml": {"schema": {"type": "string", "format": "binary"}}}})
@blueprint.response(200, shapes.StatementFileOut)
def upload(query: dict[str, Any], account_id: UUID) -> dict[str, Any]:
    """Import a statement: the body is the file as the bank gave it.

    The answer says what became of it: `imported`, `draft` (findings need a person: send it with `confirm=true`, or confirm
    it), `refused` with the reason, or `known: true` for bytes that were sent before. The bytes are kept, except of what is larger
    than any statement, or large and none at all: that is an error, and nothing of it is kept.
    Statements of the co-op's other accounts are imported into those: `others` says what became of them, and a finding which
    accounts are not registered. `confirm` is about the account of the address alone.
    """
    result = service.take_file(
        unit_of_work,
        money_account_id=account_id,
        stream=request.stream,
        name=query["name"],
        confirmed=query["confirm"],
        actor=current_actor(),
        now=now(),
    )
    with unit_of_work() as session:
        return _file(session, result.file_id, known=result.outcome == "known")


def _file(session: Session, file_id: UUID, *, known: bool = False) -> dict[str, Any]:
    row, others = queries.file(session, file_id), queries.same_file(session, file_id)
    names = [name for name in shapes.StatementFileOut().fields if name not in ("known", "others")]
    return {name: getattr(row, name) for name in names} | {"known": known, "others": others}


@blueprint.get("/files/<uuid:file_id>")
@access("staff", scope=READ)
@blueprint.response(200, shapes.StatementFileOut)
def file(file_id: UUID) -> dict[str, Any]:
    """Show what became of a file."""
    with unit_of_work() as session:
        return _file(session, file_id)


@blueprint.post("/files/<uuid:file_id>/confirm")
@access("staff", scope=WRITE)
@blueprint.response(200, shapes.StatementFileOut)
def confirm(file_id: UUID) -> dict[str, Any]:
    """Import a draft although something does not add up."""
    with unit_of_work() as session:
        account_id = queries.file(session, file_id).account_id
    service.take_draft(unit_of_work, file_id=file_id, money_account_id=account_id, actor=current_actor(), now=now())
    with unit_of_work() as session:
        return _file(session, file_id)


@blueprint.get("/accounts/<uuid:account_id>/lines")
@access("staff", scope=READ)
@blueprint.arguments(shapes.StatementLinesQuery, location="query")
@blueprint.response(200, shapes.StatementLinesOut)
def lines(query: dict[str, Any], account_id: UUID) -> dict[str, Any]:
    """List lines, oldest first, with what may explain them and what did."""
    with unit_of_work() as session:
        queries.account(session, account_id)
        page = queries.lines(session, account_id, show=query["show"], cursor=query.get("cursor"), limit=query["limit"])
        return {"items": page.items, "next": page.next_cursor}


@blueprint.get("/lines/<uuid:line_id>")
@access("staff", scope=READ)
@blueprint.response(200, shapes.StatementLineOut)
def line(line_id: UUID) -> queries.LineView:
    """Show one line."""
    with unit_of_work() as session:
        return queries.line(session, line_id)


@blueprint.post("/accounts/<uuid:account_id>/matching")
@access("staff", scope=WRITE)
@blueprint.response(200, shapes.MatchingOut)
def match(account_id: UUID) -> service.Matched:
    """Run the rules over the open lines of an account now."""
    with unit_of_work() as session:
        return service.run_matching(session, money_account_id=account_id, actor=current_actor(), now=now())


@blueprint.post("/lines/<uuid:line_id>/matches")
@access("staff", scope=WRITE)
@blueprint.arguments(shapes.LineMatchIn)
@blueprint.response(201, shapes.StatementLineOut)
def explain(body: dict[str, Any], line_id: UUID) -> Response:
    """Explain a line: accept a suggestion, match by reference, or book it with a reason.

    What one person may not book alone is proposed: the line is parked and carries the `proposal`. A repeat is refused,
    because nothing of the line is left to explain; a part, with `amount`, needs an `Idempotency-Key` therefore.
    """
    who: dict[str, Any] = {"actor": current_actor(), "now": now()}

    def act(session: Session) -> tuple[int, dict[str, Any]]:
        if "suggestion_id" in body:
            service.accept_suggestion(session, suggestion_id=body["suggestion_id"], line_id=line_id, **who)
        elif "reference" in body:
            service.match_reference(session, line_id=line_id, reference=body["reference"], **who)
        else:
            minor = body["amount"]["minor"] if "amount" in body else None
            service.book_or_propose(
                session, line_id=line_id, account_code=body["account_code"], reason=body["reason"], amount_minor=minor, **who
            )
        return 201, shapes.StatementLineOut().dump(queries.line(session, line_id))

    return once(request.get_json() | {"line_id": str(line_id)}, act, required="amount" in body)


@blueprint.post("/proposals/<uuid:proposal_id>/decision")
@access("staff", scope=WRITE)
@blueprint.arguments(shapes.ProposalAnswerIn)
@blueprint.response(200, shapes.StatementLineOut)
def decide_proposal(body: dict[str, Any], proposal_id: UUID) -> queries.LineView:
    """Accept a proposed booking as somebody who approves, or decline it with a reason; whoever proposed it takes it back."""
    with unit_of_work() as session:
        line = service.decide_proposal(session, proposal_id=proposal_id, actor=current_actor(), now=now(), **body)
        return queries.line(session, line.id)


@blueprint.post("/lines/<uuid:line_id>/question")
@access("staff", scope=WRITE)
@blueprint.arguments(shapes.LineQuestionIn)
@blueprint.response(200, shapes.StatementLineOut)
def park(body: dict[str, Any], line_id: UUID) -> queries.LineView:
    """Put a line aside with a question to a colleague."""
    with unit_of_work() as session:
        service.park_line(session, line_id=line_id, question=body["question"], actor=current_actor(), now=now())
        return queries.line(session, line_id)


@blueprint.post("/suggestions/<uuid:suggestion_id>/dismiss")
@access("staff", scope=WRITE)
@blueprint.response(204)
def dismiss(suggestion_id: UUID) -> None:
    """Reject a suggestion for good."""
    with unit_of_work() as session:
        service.dismiss_suggestion(session, suggestion_id=suggestion_id, actor=current_actor(), now=now())


@blueprint.post("/matches/<uuid:match_id>/undo")
@access("staff", scope=WRITE)
@blueprint.arguments(shapes.UndoReasonIn)
@blueprint.response(204)
def undo(body: dict[str, Any], match_id: UUID) -> None:
    """Take one match back; the others on its line stay."""
    with unit_of_work() as session:
        service.undo_match(session, match_id=match_id, reason=body["reason"], actor=current_actor(), now=now())


@blueprint.get("/differences")
@access("staff", scope=READ)
@blueprint.arguments(shapes.PeriodDifferencesQuery, location="query")
@blueprint.response(200, shapes.PeriodDifferencesOut)
def differences(query: dict[str, Any]) -> dict[str, Any]:
    """Show what keeps a period from being zero."""
    with unit_of_work() as session:
        return {"items": service.differences(session, coop_id=current_coop(), ends_on=query["ends_on"])}


@blueprint.get("/closes")
@access("staff", scope=READ)
@blueprint.response(200, shapes.PeriodClosesOut)
def closes() -> dict[str, Any]:
    """List the co-op's closes, newest first."""
    with unit_of_work() as session:
        return {"items": queries.closes(session, coop_id=current_coop())}


@blueprint.post("/closes")
@access("staff", scope=WRITE)
@blueprint.arguments(shapes.PeriodCloseIn)
@blueprint.response(201, shapes.PeriodCloseOut)
def prepare_close(body: dict[str, Any]) -> queries.CloseView:
    """Prepare the close of a period; preparing again replaces it."""
    with unit_of_work() as session:
        row = service.prepare_close(session, coop_id=current_coop(), actor=current_actor(), now=now(), **body)
        return queries.close(session, row.id)


@blueprint.post("/closes/<uuid:close_id>/close")
@access("approver", scope=WRITE)
@blueprint.response(200, shapes.PeriodCloseOut)
def close_period(close_id: UUID) -> queries.CloseView:
    """Close a prepared period as the second person."""
    with unit_of_work() as session:
        service.close_period(session, close_id=close_id, actor=current_actor(), now=now())
        return queries.close(session, close_id)


@blueprint.post("/closes/<uuid:close_id>/take-back")
@access("staff", scope=WRITE)
@blueprint.response(200, shapes.PeriodCloseOut)
def take_back_close(close_id: UUID) -> queries.CloseView:
    """Open the days of a prepared period again, for a correction that belongs into them."""
    with unit_of_work() as session:
        service.take_back_close(session, close_id=close_id, actor=current_actor(), now=now())
        return queries.close(session, close_id)


@blueprint.post("/closes/<uuid:close_id>/reopening")
@access("staff", scope=WRITE)
@blueprint.arguments(shapes.ReopeningIn)
@blueprint.response(201, shapes.PeriodCloseOut)
def propose_reopening(body: dict[str, Any], close_id: UUID) -> queries.CloseView:
    """Propose to open the last closed period again, with the reason; its days stay closed until another person agrees."""
    with unit_of_work() as session:
        service.propose_reopening(session, close_id=close_id, actor=current_actor(), now=now(), **body)
        return queries.close(session, close_id)


@blueprint.post("/closes/<uuid:close_id>/reopening/decision")
@access("approver", scope=WRITE)
@blueprint.arguments(WordIn)
@blueprint.response(200, shapes.PeriodCloseOut)
def decide_reopening(body: dict[str, Any], close_id: UUID) -> queries.CloseView:
    """Open the days of the period again, or decline; not by whoever proposed it. The protocol of the close is kept."""
    with unit_of_work() as session:
        service.decide_reopening(session, close_id=close_id, actor=current_actor(), now=now(), **body)
        return queries.close(session, close_id)


@blueprint.post("/closes/<uuid:close_id>/reopening/withdrawal")
@access("staff", scope=WRITE)
@blueprint.response(200, shapes.PeriodCloseOut)
def withdraw_reopening(close_id: UUID) -> queries.CloseView:
    """Withdraw one's own proposal to open the period again, while nobody has decided it."""
    with unit_of_work() as session:
        service.withdraw_reopening(session, close_id=close_id, actor=current_actor(), now=now())
        return queries.close(session, close_id)
