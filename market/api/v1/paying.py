"""How a co-op pays out: its rhythm and least amount, cash bags, cheques, and what is reported about those it pays."""

from dataclasses import fields as parts_of
from typing import Any
from uuid import UUID

from flask import Response, request
from flask.views import MethodView
from sqlalchemy.orm import Session

from market.api.openapi import Blueprint, money_out
from market.api.v1.schemas import paying as schemas
from market.api.v1.schemas.producers import CreatedOut, PayeeAccountOut
from market.http.auth import access, current_actor, current_coop
from market.http.clock import now, today
from market.http.db import session_for, unit_of_work
from market.http.downloads import streamed_csv
from market.http.idempotency import once
from market.kernel.money import Money
from market.payouts import queries, service
from market.payouts.rules.schedule import PayoutSettings, next_day
from market.producers import queries as producers
from market.producers import service as producers_service
from market.producers.queries import PayeeAccountView
from market.reports.queries import sellers

blueprint = Blueprint("api_paying", __name__, description="How a co-op pays out: settings, cash bags, cheques, seller report")


def _settings(session: Session) -> dict[str, Any]:
    coop = producers.coop(session, current_coop())
    kept = queries.settings_of(session, coop.id)
    values = {field.name: getattr(kept, field.name) for field in parts_of(PayoutSettings)}
    minimum = money_out(Money(values.pop("minimum_minor"), coop.currency))
    return values | {"minimum": minimum, "next_day": next_day(kept, today(coop.time_zone))}


@blueprint.route("/payout-settings")
class Settings(MethodView):
    """How the caller's co-op pays out."""

    @blueprint.response(200, schemas.PayoutSettingsOut)
    @access("staff", scope="payouts:read")
    def get(self) -> dict[str, Any]:
        """Return rhythm, least amount, file format and purpose, and the day of the next run that the clock drafts."""
        with unit_of_work() as session:
            return _settings(session)

    @blueprint.arguments(schemas.PayoutSettingsIn)
    @blueprint.response(200, schemas.PayoutSettingsOut)
    @access("approver", scope="payouts:write")
    def put(self, body: dict[str, Any]) -> dict[str, Any]:
        """Change how the co-op pays out; runs that exist stay as they are. The least amount is in the co-op's currency."""
        with unit_of_work() as session:
            wanted = PayoutSettings(**body)
            service.save_settings(session, actor=current_actor(), coop_id=current_coop(), wanted=wanted, now=now())
            session.flush()
            return _settings(session)


@blueprint.route("/payout-runs/<uuid:run_id>/bags")
class Bags(MethodView):
    """The cash bags of a run."""

    @blueprint.response(200, schemas.BagsOut)
    @access("staff", scope="payouts:read")
    def get(self, run_id: UUID) -> dict[str, Any]:
        """Return the bags by number, with what is left in each."""
        with unit_of_work() as session:
            return {"items": queries.bags_of_run(session, queries.run(session, run_id).id)}

    @blueprint.arguments(schemas.BagIn)
    @blueprint.response(201, CreatedOut)
    @access("staff", scope="payouts:write")
    def post(self, body: dict[str, Any], run_id: UUID) -> Response:
        """Hand cash of the box to an officer for an approved run. Takes `Idempotency-Key`."""
        facts = {"officer": body["officer"], "money": Money(**body["amount"]), "on": body["on"]}

        def act(session: Session) -> tuple[int, dict[str, Any]]:
            return 201, {"id": str(service.issue_bag(session, actor=current_actor(), run_id=run_id, now=now(), **facts))}

        return once(request.get_json() | {"run_id": str(run_id)}, act)


@blueprint.route("/cash-bags/<uuid:bag_id>/close")
class BagCount(MethodView):
    """The end of a bag."""

    @blueprint.arguments(schemas.BagCountIn)
    @blueprint.response(200, schemas.BagMissingOut)
    @access("staff", scope="payouts:write")
    def post(self, body: dict[str, Any], bag_id: UUID) -> dict[str, Any]:
        """Count what came back: issued = paid + returned + missing. What is missing needs an approver and an explanation."""
        with unit_of_work() as session:
            facts = {"returned": Money(**body["returned"]), "on": body["on"], "explanation": body["explanation"]}
            return {"missing": service.close_bag(session, actor=current_actor(), bag_id=bag_id, now=now(), **facts)}


@blueprint.route("/cheques")
class Cheques(MethodView):
    """The cheques of the caller's co-op."""

    @blueprint.response(200, schemas.ChequesOut)
    @access("staff", scope="payouts:read")
    def get(self) -> dict[str, Any]:
        """Return the latest 200 cheques, newest first: issued, cashed or voided; stale ones are marked."""
        with unit_of_work() as session:
            coop = producers.coop(session, current_coop())
            return {"items": queries.cheques(session, coop_id=coop.id, on=today(coop.time_zone))}


@blueprint.route("/payouts/<uuid:payout_id>/cheque")
class ChequeOf(MethodView):
    """The cheque of a payout."""

    @blueprint.arguments(schemas.ChequeIn)
    @blueprint.response(204)
    @access("staff", scope="payouts:write")
    def post(self, body: dict[str, Any], payout_id: UUID) -> None:
        """Write down the cheque that was made out: the payout counts as sent, the bank's statement settles it."""
        with unit_of_work() as session:
            service.issue_cheque(session, actor=current_actor(), payout_id=payout_id, now=now(), **body)


@blueprint.route("/payouts/<uuid:payout_id>/cheque/void")
class ChequeVoid(MethodView):
    """A cheque that nobody cashed."""

    @blueprint.arguments(schemas.ChequeVoidIn)
    @blueprint.response(204)
    @access("approver", scope="payouts:write")
    def post(self, body: dict[str, Any], payout_id: UUID) -> None:
        """Void a cheque that was stopped at the bank; what it pays is open again. Not by whoever issued it."""
        with unit_of_work() as session:
            service.void_cheque(session, actor=current_actor(), payout_id=payout_id, reason=body["reason"], now=now())


@blueprint.route("/payouts/<uuid:payout_id>/ask-back")
class AskBack(MethodView):
    """A part of a card transfer that the payee owes."""

    @blueprint.arguments(schemas.AskBackIn)
    @blueprint.response(201, CreatedOut)
    @access("approver", scope="payouts:write")
    def post(self, body: dict[str, Any], payout_id: UUID) -> Response:
        """Ask it back; the card processor's statement books it. Takes `Idempotency-Key`."""
        facts = {"payout_id": payout_id, "money": Money(**body["amount"]), "reason": body["reason"]}

        def act(session: Session) -> tuple[int, dict[str, Any]]:
            return 201, {"id": str(service.ask_back(session, actor=current_actor(), now=now(), **facts))}

        return once(request.get_json() | {"payout_id": str(payout_id)}, act)


@blueprint.route("/payee-accounts/<uuid:payee_account_id>/agree-name")
class NameAgreement(MethodView):
    """An account under another name."""

    @blueprint.arguments(schemas.NameReasonIn)
    @blueprint.response(200, PayeeAccountOut)
    @access("staff", scope="producers:write")
    def post(self, body: dict[str, Any], payee_account_id: UUID) -> PayeeAccountView:
        """Say why the holder has another name than the member. Not by whoever entered the account."""
        with unit_of_work() as session:
            producers_service.agree_name(
                session, actor=current_actor(), payee_account_id=payee_account_id, reason=body["reason"], now=now()
            )
            return producers.payee_account(session, payee_account_id, actor=current_actor())


@blueprint.route("/seller-report")
class SellerReport(MethodView):
    """What a platform reports of its sellers."""

    @blueprint.arguments(schemas.SellerReportQuery, location="query")
    @blueprint.response(200, content_type="text/csv")
    @access("staff", scope="payouts:read")
    def get(self, query: dict[str, Any]) -> Response:
        """Return a year by the fields of DAC7 as CSV, one row per seller and currency; `missing` names what is not known."""
        year, coop_id = query["year"], current_coop()
        rows = sellers.report(session_for(coop_id), coop_id=coop_id, year=year)
        return streamed_csv(f"sellers-{year}.csv", sellers.HEADINGS, rows)
