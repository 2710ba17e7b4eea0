"""Advances to members and loans for harvests: proposed by one person, decided by another, recovered or repaid by the books."""

from typing import Any
from uuid import UUID

from flask import Response, request
from flask.views import MethodView
from sqlalchemy.orm import Session

from market.api.openapi import Blueprint
from market.api.v1.schemas import lending as schemas
from market.api.v1.schemas.deciding import WordIn
from market.api.v1.schemas.producers import CreatedOut
from market.earnings import queries as earnings
from market.earnings import service as earnings_service
from market.http.auth import access, current_actor, current_coop
from market.http.clock import now, today
from market.http.db import unit_of_work
from market.http.downloads import download
from market.http.idempotency import once
from market.kernel.money import Money
from market.payouts import service as payouts
from market.payouts.rules.accounts import check_bank_account
from market.producers import queries as producers
from market.treasury import loan_queries as loans
from market.treasury import service as treasury

blueprint = Blueprint("api_lending", __name__, description="Advances to members, and loans for harvests")


@blueprint.route("/advances")
class Advances(MethodView):
    """Advances of the caller's co-op to its members."""

    @blueprint.response(200, schemas.AdvancesOut)
    @access("staff", scope="payouts:read")
    def get(self) -> dict[str, Any]:
        """Return advances with what is left of each, newest first."""
        with unit_of_work() as session:
            return {"items": earnings.advances(session, current_coop())}

    @blueprint.arguments(schemas.AdvanceIn)
    @blueprint.response(201, CreatedOut)
    @access("preparer", scope="payouts:write")
    def post(self, body: dict[str, Any]) -> Response:
        """Propose an advance; another person grants it. Takes `Idempotency-Key`."""
        money = Money(**body.pop("amount"))

        def act(session: Session) -> tuple[int, dict[str, Any]]:
            made = earnings_service.propose_advance(session, actor=current_actor(), money=money, now=now(), **body)
            return 201, {"id": str(made)}

        return once(request.get_json(), act)


@blueprint.route("/advances/<uuid:advance_id>/decide")
class AdvanceWord(MethodView):
    """The second person's word on an advance."""

    @blueprint.arguments(WordIn)
    @blueprint.response(204)
    @access("approver", scope="payouts:write")
    def post(self, body: dict[str, Any], advance_id: UUID) -> None:
        """Grant the advance, which the next payout run then pays, or decline it; not by whoever proposed it."""
        with unit_of_work() as session:
            granted = {"advance_id": advance_id, "granted": body["agreed"]}
            earnings_service.decide_advance(session, actor=current_actor(), now=now(), **granted)


@blueprint.route("/loans")
class Loans(MethodView):
    """What others lent the caller's co-op for its harvests."""

    @blueprint.response(200, schemas.LoansOut)
    @access("staff", scope="payouts:read")
    def get(self) -> dict[str, Any]:
        """Return loans as the books have them, the one that is due first first."""
        with unit_of_work() as session:
            coop = producers.coop(session, current_coop())
            return {"items": loans.loans(session, coop.id, on=today(coop.time_zone))}

    @blueprint.arguments(schemas.LoanIn)
    @blueprint.response(201, CreatedOut)
    @access("preparer", scope="payouts:write")
    def post(self, body: dict[str, Any]) -> Response:
        """Propose to take a loan on; another person does. Takes `Idempotency-Key`."""
        body |= {"goods": Money(**body["goods"]), "money": Money(**body.pop("amount"))}
        if body["iban"]:
            account = check_bank_account(iban=body["iban"], bic=body["bic"])
            body |= {"iban": account.iban, "bic": account.bic}

        def act(session: Session) -> tuple[int, dict[str, Any]]:
            made = treasury.propose_loan(session, actor=current_actor(), coop_id=current_coop(), now=now(), **body)
            return 201, {"id": str(made)}

        return once(request.get_json(), act)


@blueprint.route("/loans/<uuid:loan_id>")
class Loan(MethodView):
    """One loan."""

    @blueprint.response(200, schemas.LoanOut)
    @access("staff", scope="payouts:read")
    def get(self, loan_id: UUID) -> Any:
        """Return a loan with its repayments; `reference` is what the lender names in the transfer."""
        with unit_of_work() as session:
            return loans.loan(session, loan_id, on=today(producers.coop(session, current_coop()).time_zone))


@blueprint.route("/loans/<uuid:loan_id>/decide")
class LoanWord(MethodView):
    """The second person's word on a loan."""

    @blueprint.arguments(WordIn)
    @blueprint.response(204)
    @access("approver", scope="payouts:write")
    def post(self, body: dict[str, Any], loan_id: UUID) -> None:
        """Take the loan on or decline it; not by whoever proposed it."""
        with unit_of_work() as session:
            treasury.decide_loan(session, actor=current_actor(), loan_id=loan_id, agreed=body["agreed"], now=now())


@blueprint.route("/loans/<uuid:loan_id>/close")
class LoanEnd(MethodView):
    """The end of a loan."""

    @blueprint.response(204)
    @access("approver", scope="payouts:write")
    def post(self, loan_id: UUID) -> None:
        """End a loan of which nothing is owed or on its way any more."""
        with unit_of_work() as session:
            treasury.close_loan(session, actor=current_actor(), loan_id=loan_id, now=now())


@blueprint.route("/loans/<uuid:loan_id>/repayments")
class Repayments(MethodView):
    """What goes back to a lender."""

    @blueprint.arguments(schemas.RepaymentIn)
    @blueprint.response(201, CreatedOut)
    @access("preparer", scope="payouts:write")
    def post(self, body: dict[str, Any], loan_id: UUID) -> Response:
        """Propose a repayment; another person books it. Takes `Idempotency-Key`."""
        parts = {"principal": Money(**body["principal"]), "interest": Money(**body["interest"])}

        def act(session: Session) -> tuple[int, dict[str, Any]]:
            made = treasury.propose_repayment(session, actor=current_actor(), loan_id=loan_id, now=now(), **parts)
            return 201, {"id": str(made)}

        return once(request.get_json() | {"loan_id": str(loan_id)}, act)


@blueprint.route("/loan-repayments/<uuid:repayment_id>/file")
class RepaymentFile(MethodView):
    """The bank file of a repayment."""

    @blueprint.response(200, content_type="application/xml")
    @access("staff", scope="payouts:read")
    def get(self, repayment_id: UUID) -> Response:
        """Return the pain.001 of a booked repayment; every download gives the same bytes."""
        with unit_of_work() as session:
            name, body = payouts.repayment_file(session, coop_id=current_coop(), repayment_id=repayment_id, now=now())
        return download(body, name=name, content_type="application/xml")


@blueprint.route("/loan-repayments/<uuid:repayment_id>/decide")
class RepaymentWord(MethodView):
    """The second person's word on a repayment."""

    @blueprint.arguments(WordIn)
    @blueprint.response(204)
    @access("approver", scope="payouts:write")
    def post(self, body: dict[str, Any], repayment_id: UUID) -> None:
        """Put the repayment on its way, for the bank's line to end, or decline it; not by whoever proposed it."""
        with unit_of_work() as session:
            word = {"repayment_id": repayment_id, "agreed": body["agreed"]}
            treasury.decide_repayment(session, actor=current_actor(), now=now(), **word)
