"""What is owed, and payout runs: prepared by one person, approved by another, followed to the bank."""

from typing import Any
from uuid import UUID

from flask import Response, request
from flask.views import MethodView
from sqlalchemy.orm import Session

from market.api.openapi import Blueprint
from market.api.v1.schemas import payouts as schemas
from market.api.v1.schemas.producers import CreatedOut, PageQuery
from market.http.auth import access, current_actor, current_coop
from market.http.clock import now
from market.http.db import unit_of_work
from market.http.downloads import download
from market.http.idempotency import once
from market.kernel.money import Money
from market.payables import queries as payables
from market.payouts import queries, service
from market.payouts.rules.cash import Receipt, Signed

blueprint = Blueprint("api_payouts", __name__, description="What is owed, and payout runs")


@blueprint.route("/payables")
class Payables(MethodView):
    """What the caller's co-op owes."""

    @blueprint.response(200, schemas.PayableTotalsOut)
    @access("staff", scope="payouts:read")
    def get(self) -> dict[str, Any]:
        """Return what each payee is owed per currency, largest first: still open, and on its way in a run."""
        with unit_of_work() as session:
            return {"items": payables.totals_by_payee(session, current_coop())}


@blueprint.route("/payables/mine")
class MyPayables(MethodView):
    """What the calling producer is owed."""

    @blueprint.response(200, schemas.MyMoneyOut)
    @access("producer", scope="payouts:read")
    def get(self) -> dict[str, Any]:
        """Return the producer's own totals, payables and payouts, newest first."""
        producer_id = current_actor().producer_id
        with unit_of_work() as session:
            if producer_id is None:
                return {"totals": [], "payables": [], "payouts": []}
            return {
                "totals": payables.owed_to(session, producer_id),
                "payables": payables.payables_of(session, producer_id),
                "payouts": queries.payouts_of_payee(session, producer_id).items,
            }


@blueprint.route("/payout-runs")
class Runs(MethodView):
    """The payout runs of the caller's co-op."""

    @blueprint.arguments(PageQuery, location="query")
    @blueprint.response(200, schemas.PayoutRunsOut)
    @access("staff", scope="payouts:read")
    def get(self, query: dict[str, Any]) -> Any:
        """Return runs, newest first."""
        with unit_of_work() as session:
            return queries.runs(session, coop_id=current_coop(), cursor=query["cursor"])

    @blueprint.arguments(schemas.PayoutRunIn)
    @blueprint.response(201, schemas.PayoutRunOut)
    @access("preparer", scope="payouts:write")
    def post(self, body: dict[str, Any]) -> Response:
        """Prepare a run of everything due by a day; another person approves it. Takes `Idempotency-Key`."""

        def act(session: Session) -> tuple[int, dict[str, Any]]:
            run = service.plan_run(session, actor=current_actor(), coop_id=current_coop(), due_by=body["due_by"], now=now())
            return 201, _run(run)

        return once(request.get_json(), act)


@blueprint.route("/payout-runs/<uuid:run_id>")
class Run(MethodView):
    """One run."""

    @blueprint.response(200, schemas.PayoutRunDetailOut)
    @access("staff", scope="payouts:read")
    def get(self, run_id: UUID) -> dict[str, Any]:
        """Return a run with the count of payouts in each state and its bank files."""
        with unit_of_work() as session:
            run = queries.run(session, run_id)
            return {
                "run": run,
                "states": queries.states_of_run(session, run.id),
                "files": queries.files_of_run(session, run.id),
            }


@blueprint.route("/payout-runs/<uuid:run_id>/payouts")
class RunPayouts(MethodView):
    """The payouts of a run."""

    @blueprint.arguments(PageQuery, location="query")
    @blueprint.response(200, schemas.PayoutsOut)
    @access("staff", scope="payouts:read")
    def get(self, query: dict[str, Any], run_id: UUID) -> Any:
        """Return the payouts by number."""
        with unit_of_work() as session:
            return queries.payouts_of_run(session, queries.run(session, run_id).id, cursor=query["cursor"])


@blueprint.route("/payout-runs/<uuid:run_id>/approve")
class Approval(MethodView):
    """The second pair of eyes."""

    @blueprint.arguments(schemas.PayoutApprovalIn)
    @blueprint.response(200, schemas.PayoutRunOut)
    @access("approver", scope="payouts:write")
    def post(self, body: dict[str, Any], run_id: UUID) -> Response:
        """Approve the list whose fingerprint is given; not by whoever prepared it. Takes `Idempotency-Key`."""

        def act(session: Session) -> tuple[int, dict[str, Any]]:
            run = service.approve_run(session, actor=current_actor(), run_id=run_id, list_sha256=body["list_sha256"], now=now())
            return 200, _run(run)

        return once(request.get_json() | {"run_id": str(run_id)}, act)


@blueprint.route("/payout-runs/<uuid:run_id>/discard")
class Discarding(MethodView):
    """The end of a draft."""

    @blueprint.response(200, schemas.PayoutRunOut)
    @access("staff", scope="payouts:write")
    def post(self, run_id: UUID) -> Any:
        """Throw a draft away; everything in it is open again."""
        with unit_of_work() as session:
            return service.discard_run(session, actor=current_actor(), run_id=run_id, now=now())


@blueprint.route("/payout-files/<uuid:file_id>")
class File(MethodView):
    """A bank file."""

    @blueprint.response(200, content_type="application/xml")
    @access("staff", scope="payouts:read")
    def get(self, file_id: UUID) -> Response:
        """Return the pain.001 as it was written; every download gives the same bytes."""
        with unit_of_work() as session:
            file, body = queries.file_body(session, file_id)
        return download(body, name=file.name, content_type="application/xml")


@blueprint.route("/payout-files/<uuid:file_id>/submitted")
class Submission(MethodView):
    """The hand-over to the bank."""

    @blueprint.response(204)
    @access("staff", scope="payouts:write")
    def post(self, file_id: UUID) -> None:
        """Note that the file was given to the bank: its payouts count as sent."""
        with unit_of_work() as session:
            service.mark_submitted(session, actor=current_actor(), file_id=file_id, now=now())


@blueprint.route("/payouts/<uuid:payout_id>")
class Payout(MethodView):
    """One payout."""

    @blueprint.response(200, schemas.PayoutOut)
    @access("staff", scope="payouts:read")
    def get(self, payout_id: UUID) -> Any:
        """Return a payout."""
        with unit_of_work() as session:
            return queries.payout(session, payout_id)


@blueprint.route("/payouts/<uuid:payout_id>/receipt")
class CashReceipt(MethodView):
    """The receipt of a cash payout."""

    @blueprint.arguments(schemas.CashReceiptIn)
    @blueprint.response(201, CreatedOut)
    @access("staff", scope="payouts:write")
    def post(self, body: dict[str, Any], payout_id: UUID) -> Response:
        """Record the signed receipt: the payout is settled. Takes `Idempotency-Key`."""
        money, bag_id = Money(**body.pop("amount")), body.pop("bag_id")
        receipt = Receipt(money=money, signed=Signed(body.pop("signed")), **body)

        def act(session: Session) -> tuple[int, dict[str, Any]]:
            facts = {"payout_id": payout_id, "receipt": receipt, "bag_id": bag_id}
            receipt_id = service.record_receipt(session, actor=current_actor(), now=now(), **facts)
            return 201, {"id": str(receipt_id)}

        return once(request.get_json() | {"payout_id": str(payout_id)}, act)


@blueprint.route("/payouts/<uuid:payout_id>/cancel")
class Cancellation(MethodView):
    """The end of a payout before any attempt."""

    @blueprint.arguments(schemas.PayoutReasonIn)
    @blueprint.response(204)
    @access("staff", scope="payouts:write")
    def post(self, body: dict[str, Any], payout_id: UUID) -> None:
        """Cancel a payout that nobody has tried yet; what it pays is open again."""
        with unit_of_work() as session:
            service.cancel_payout(session, payout_id=payout_id, reason=body["reason"], actor=current_actor(), now=now())


@blueprint.route("/payouts/<uuid:payout_id>/refused")
class Refusal(MethodView):
    """The bank's definite no."""

    @blueprint.arguments(schemas.PayoutReasonIn)
    @blueprint.response(204)
    @access("approver", scope="payouts:write")
    def post(self, body: dict[str, Any], payout_id: UUID) -> None:
        """Note that bank or rail refused a payout for good (pain.002 RJCT); what it pays is open again."""
        with unit_of_work() as session:
            service.fail(session, payout_id=payout_id, reason=body["reason"], actor=current_actor(), now=now())


@blueprint.route("/payouts/<uuid:payout_id>/decide")
class Decision(MethodView):
    """A payout whose rail cannot say what happened."""

    @blueprint.arguments(schemas.PayoutDecisionIn)
    @blueprint.response(204)
    @access("approver", scope="payouts:write")
    def post(self, body: dict[str, Any], payout_id: UUID) -> None:
        """Decide with evidence whether the money moved; not by whoever prepared the run."""
        with unit_of_work() as session:
            service.decide_unknown(session, payout_id=payout_id, actor=current_actor(), now=now(), **body)


@blueprint.route("/cash-box/fill")
class CashBox(MethodView):
    """The co-op's cash box."""

    @blueprint.arguments(schemas.CashBoxFillIn)
    @blueprint.response(204)
    @access("staff", scope="payouts:write")
    def post(self, body: dict[str, Any]) -> None:
        """Book money taken from the bank into the box; the same withdrawal slip is booked once."""
        with unit_of_work() as session:
            service.fill_cash_box(
                session,
                actor=current_actor(),
                coop_id=current_coop(),
                money=Money(**body["amount"]),
                on=body["on"],
                slip=body["slip"],
                now=now(),
            )


def _run(run: queries.RunRow) -> dict[str, Any]:
    body: dict[str, Any] = schemas.PayoutRunOut().dump(run)
    return body
