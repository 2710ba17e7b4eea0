"""Producers, members, where they are paid, and certificates."""

from dataclasses import asdict
from typing import Any
from uuid import UUID

from flask import Response, request
from flask.views import MethodView
from sqlalchemy.orm import Session

from market.api.openapi import Blueprint
from market.api.v1.schemas import producers as schemas
from market.http import login
from market.http.auth import access, current_actor, current_coop
from market.http.clock import now
from market.http.db import unit_of_work
from market.http.idempotency import once
from market.kernel.clock import day_in
from market.kernel.paging import Page
from market.producers import queries, service
from market.producers.rules import Identity, PayTo, PostalAddress, missing_facts

blueprint = Blueprint("api_producers", __name__, description="Producers, members, accounts to pay to, certificates")


@blueprint.route("/producers")
class Producers(MethodView):
    """All producers."""

    @blueprint.arguments(schemas.ProducerQuery, location="query")
    @blueprint.response(200, schemas.ProducersOut)
    @access("public")
    def get(self, query: dict[str, Any]) -> Page[queries.ProducerView]:
        """Return present members by name, of one co-op or of all."""
        with unit_of_work() as session:
            return queries.producer_page(session, coop_id=query["coop_id"], cursor=query["cursor"])

    @blueprint.arguments(schemas.ProducerIn)
    @blueprint.response(201, schemas.CreatedOut)
    @access("staff", scope="producers:write")
    def post(self, body: dict[str, Any]) -> Response:
        """Take a producer into the caller's co-op; with an e-mail address they get an account. Takes `Idempotency-Key`."""
        email, joined_on = body.pop("email"), body.pop("joined_on")

        def act(session: Session) -> tuple[int, dict[str, Any]]:
            zone = queries.coop(session, current_coop()).time_zone
            account_id = _account(session, email, body["name"], body["language"]) if email else None
            producer_id = service.add_producer(
                session,
                actor=current_actor(),
                joined_on=joined_on or day_in(now(), zone),
                account_id=account_id,
                now=now(),
                **body,
            )
            return 201, {"id": str(producer_id)}

        return once(request.get_json(), act, required=False)


@blueprint.route("/producers/<uuid:producer_id>")
class Producer(MethodView):
    """One producer."""

    @blueprint.response(200, schemas.ProducerOut)
    @access("public")
    def get(self, producer_id: UUID) -> queries.ProducerView:
        """Return a producer."""
        with unit_of_work() as session:
            return queries.producer(session, producer_id)

    @blueprint.arguments(schemas.ProducerEditIn)
    @blueprint.response(200, schemas.ProducerOut)
    @access("staff", "producer", scope="producers:write")
    def put(self, body: dict[str, Any], producer_id: UUID) -> queries.ProducerView:
        """Change what a producer shows: they themselves or their co-op's staff."""
        with unit_of_work() as session:
            service.update_producer(session, actor=current_actor(), producer_id=producer_id, now=now(), **body)
            return queries.producer(session, producer_id)


@blueprint.route("/producers/<uuid:producer_id>/account")
class ProducerAccount(MethodView):
    """The account that acts as a producer."""

    @blueprint.arguments(schemas.InviteIn)
    @blueprint.response(204)
    @access("staff", scope="producers:write")
    def put(self, body: dict[str, Any], producer_id: UUID) -> None:
        """Invite the person who is this producer."""
        with unit_of_work() as session:
            producer = queries.producer(session, producer_id)
            account_id = _account(session, body["email"], producer.name, producer.language)
            service.link_account(session, actor=current_actor(), producer_id=producer_id, account_id=account_id, now=now())


@blueprint.route("/producers/<uuid:producer_id>/leave")
class Leaving(MethodView):
    """The end of a membership."""

    @blueprint.arguments(schemas.LeaveIn)
    @blueprint.response(204)
    @access("staff", scope="members:write")
    def post(self, body: dict[str, Any], producer_id: UUID) -> None:
        """Let a producer leave; what is owed to them stays owed."""
        with unit_of_work() as session:
            service.end_membership(session, actor=current_actor(), producer_id=producer_id, left_on=body["left_on"], now=now())


@blueprint.route("/members")
class Members(MethodView):
    """The members of the caller's co-op."""

    @blueprint.arguments(schemas.PageQuery, location="query")
    @blueprint.response(200, schemas.MembersOut)
    @access("staff", scope="members:read")
    def get(self, query: dict[str, Any]) -> Page[queries.MemberRow]:
        """Return the memberships by number, those that ended included."""
        with unit_of_work() as session:
            return queries.member_page(session, coop_id=current_coop(), cursor=query["cursor"])


@blueprint.route("/producers/<uuid:producer_id>/payee-accounts")
class PayeeAccounts(MethodView):
    """Where a producer is paid."""

    @blueprint.response(200, schemas.PayeeAccountsOut)
    @access("staff", "producer", scope="producers:read")
    def get(self, producer_id: UUID) -> dict[str, Any]:
        """Return a producer's accounts, newest first: for them and their co-op's staff."""
        with unit_of_work() as session:
            queries.own_producer(session, producer_id, actor=current_actor())
            return {"items": queries.payee_accounts(session, actor=current_actor(), producer_id=producer_id)}

    @blueprint.arguments(schemas.PayToIn)
    @blueprint.response(201, schemas.CreatedOut)
    @access("staff", "producer", scope="producers:write")
    def post(self, body: dict[str, Any], producer_id: UUID) -> Response:
        """Enter where a producer wants to be paid; a second person confirms it. Takes `Idempotency-Key`."""
        address = PostalAddress(**{part: body.pop(part) for part in ("street", "building", "town", "postcode", "country")})

        def act(session: Session) -> tuple[int, dict[str, Any]]:
            account_id = service.enter_payee_account(
                session, actor=current_actor(), producer_id=producer_id, pay_to=PayTo(address=address, **body), now=now()
            )
            return 201, {"id": str(account_id)}

        return once(request.get_json() | {"producer_id": str(producer_id)}, act, required=False)


@blueprint.route("/producers/<uuid:producer_id>/tax-identity")
class TaxIdentity(MethodView):
    """Who a producer is for the tax office."""

    @blueprint.response(200, schemas.IdentityOut)
    @access("staff", "producer", scope="producers:read")
    def get(self, producer_id: UUID) -> dict[str, Any]:
        """Return what is known and what a report still lacks: for the producer and their co-op's staff."""
        with unit_of_work() as session:
            return _identity(session, producer_id)

    @blueprint.arguments(schemas.IdentityIn)
    @blueprint.response(200, schemas.IdentityOut)
    @access("staff", "producer", scope="producers:write")
    def put(self, body: dict[str, Any], producer_id: UUID) -> dict[str, Any]:
        """Record what the producer said or showed on paper; it replaces what was known."""
        with unit_of_work() as session:
            service.enter_identity(session, actor=current_actor(), producer_id=producer_id, identity=Identity(**body), now=now())
            session.flush()
            return _identity(session, producer_id)


@blueprint.route("/payee-accounts")
class WaitingPayeeAccounts(MethodView):
    """Accounts of the caller's co-op."""

    @blueprint.response(200, schemas.PayeeAccountsOut)
    @access("staff", scope="producers:read")
    def get(self) -> dict[str, Any]:
        """Return the accounts that wait for a second person."""
        with unit_of_work() as session:
            return {"items": queries.payee_accounts(session, actor=current_actor(), waiting=True)}


@blueprint.route("/payee-accounts/<uuid:payee_account_id>/confirm")
class Confirmation(MethodView):
    """The second pair of eyes."""

    @blueprint.response(200, schemas.PayeeAccountOut)
    @access("approver", scope="producers:write")
    def post(self, payee_account_id: UUID) -> queries.PayeeAccountView:
        """Declare an account right; it replaces the one paid to until now. Not by whoever entered it."""
        with unit_of_work() as session:
            service.confirm_payee_account(session, actor=current_actor(), payee_account_id=payee_account_id, now=now())
            return queries.payee_account(session, payee_account_id, actor=current_actor())


@blueprint.route("/payee-accounts/<uuid:payee_account_id>/withdraw")
class Withdrawal(MethodView):
    """Details that turned out wrong."""

    @blueprint.response(204)
    @access("staff", "producer", scope="producers:write")
    def post(self, payee_account_id: UUID) -> None:
        """Refuse details that wait for confirmation."""
        with unit_of_work() as session:
            service.withdraw_payee_account(session, actor=current_actor(), payee_account_id=payee_account_id, now=now())


@blueprint.route("/certificates")
class Certificates(MethodView):
    """The certificates of the caller's co-op."""

    @blueprint.response(200, schemas.CertificatesOut)
    @access("staff", scope="producers:read")
    def get(self) -> dict[str, Any]:
        """Return all certificates, those that end first first."""
        with unit_of_work() as session:
            return {"items": queries.certificates(session, coop_id=current_coop())}

    @blueprint.arguments(schemas.CertificateIn)
    @blueprint.response(201, schemas.CreatedOut)
    @access("staff", scope="producers:write")
    def post(self, body: dict[str, Any]) -> Response:
        """Enter a certificate; it counts once somebody has checked it. Takes `Idempotency-Key`."""

        def act(session: Session) -> tuple[int, dict[str, Any]]:
            return 201, {"id": str(service.enter_certificate(session, actor=current_actor(), now=now(), **body))}

        return once(request.get_json(), act, required=False)


@blueprint.route("/certificates/<uuid:certificate_id>/status")
class CertificateStatus(MethodView):
    """What a certificate is worth now."""

    @blueprint.arguments(schemas.CertificateStatusIn)
    @blueprint.response(204)
    @access("staff", scope="producers:write")
    def put(self, body: dict[str, Any], certificate_id: UUID) -> None:
        """Make a certificate active after a check, suspend or withdraw it."""
        with unit_of_work() as session:
            service.set_certificate_status(session, actor=current_actor(), certificate_id=certificate_id, now=now(), **body)


def _identity(session: Session, producer_id: UUID) -> dict[str, Any]:
    queries.own_producer(session, producer_id, actor=current_actor())
    known = queries.identities(session, [producer_id]).get(producer_id, Identity())
    return asdict(known) | {"missing": missing_facts(known, has_account=queries.reportable_account(session, producer_id))}


def _account(session: Session, email: str, name: str, locale: str) -> UUID:
    return login.open_account(session, email=email, name=name, locale=locale, now=now())
