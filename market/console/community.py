"""The community currency: opened by two persons, holders with limits, transfers between them, a member who leaves."""

from typing import Any
from uuid import UUID

from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from market.console import acting, lists
from market.console.lists import Column, Desk, Filter
from market.console.words import options
from market.http.auth import access, current_actor, current_coop
from market.http.clock import now
from market.http.db import unit_of_work
from market.http.entry import Entry
from market.producers import queries as producers
from market.reports.queries import desks
from market.reports.queries import treasury as sources
from market.treasury import community_queries as queries
from market.treasury import service
from market.treasury.community_models import UNIT

blueprint = Blueprint("console_community", __name__, url_prefix="/console/treasury/community")
STATES: lists.Words = {
    "proposed": (_l("proposed"), "warn"),
    "open": (_l("open"), "good"),
    "declined": (_l("declined"), ""),
    "left": (_l("has left"), ""),
}


def _pane(session: Session, holder_id: UUID) -> dict[str, Any]:
    return {
        "holder": queries.holder(session, holder_id),
        "moves": queries.transfers(session, current_coop(), holder_id=holder_id),
        "history": desks.history(session, "community_holder", holder_id),
    }


DESK = Desk(
    name="community",
    title=_l("Community currency"),
    endpoint="console_community.index",
    source=sources.community_holders,
    columns=(
        Column("member", _l("Member"), "link"),
        Column("limit_down_minor", _l("May fall below zero by"), "money"),
        Column("growth_cap_minor", _l("Grows to at most"), "money"),
        Column("state", _l("State"), "state", STATES),
    ),
    filters=(Filter("q", _l("Member")), Filter("state", _l("State"), "choice", options(STATES))),
    pane=_pane,
    empty=_l("Nobody holds the community currency yet."),
)


@blueprint.get("")
@access("staff")
def index() -> ResponseReturnValue:
    """Show the scheme and the holders, and one with the transfers beside the list."""
    return _page({}, {})


@blueprint.post("/scheme")
@access("preparer")
def propose_scheme() -> ResponseReturnValue:
    """Propose that the co-op keeps a community currency."""
    entry = Entry(request.form)
    legal_check, above = entry.text("legal_check"), entry.amount("authorise_above", UNIT, zero=True)

    def run(session: Session) -> tuple[str, str]:
        assert above is not None
        shared = {"coop_id": current_coop(), "legal_check": legal_check, "authorise_above": above}
        service.propose_scheme(session, actor=current_actor(), now=now(), **shared)  # type: ignore[arg-type]
        return _("Proposed. Another person opens it."), url_for("console_community.index")

    return _carry_out(entry, run, "legal_check")


@blueprint.post("/scheme/<uuid:scheme_id>")
@access("approver")
def decide_scheme(scheme_id: UUID) -> ResponseReturnValue:
    """Open the community currency or decline it."""
    agreed = acting.agreed()
    return acting.act(
        lambda session: service.decide_scheme(session, actor=current_actor(), scheme_id=scheme_id, agreed=agreed, now=now()),
        _("Open. Give members an account now.") if agreed else _("Declined."),
        url_for("console_community.index"),
    )


@blueprint.post("")
@access("preparer")
def propose() -> ResponseReturnValue:
    """Propose an account for a member."""
    entry = Entry(request.form)
    member = entry.ident("producer_id")
    down, cap = entry.amount("limit_down", UNIT), entry.amount("growth_cap", UNIT)
    up = entry.amount("limit_up", UNIT) if request.form.get("limit_up", "").strip() else None

    def run(session: Session) -> tuple[str, str]:
        shared = {"producer_id": member, "limit_down": down, "growth_cap": cap, "limit_up": up}
        made = service.propose_holder(session, actor=current_actor(), now=now(), **shared)  # type: ignore[arg-type]
        return _("Proposed. Another person opens it."), _open(made)

    return _carry_out(entry, run, "limit_down")


@blueprint.post("/<uuid:holder_id>")
@access("approver")
def decide(holder_id: UUID) -> ResponseReturnValue:
    """Open a member's account or decline it."""
    agreed = acting.agreed()
    return acting.act(
        lambda session: service.decide_holder(session, actor=current_actor(), holder_id=holder_id, agreed=agreed, now=now()),
        _("Open.") if agreed else _("Declined."),
        _open(holder_id),
    )


@blueprint.post("/<uuid:holder_id>/pay")
@access("preparer")
def pay(holder_id: UUID) -> ResponseReturnValue:
    """Pay for a member who asked for it, from one holder to another."""
    entry = Entry(request.form)
    payee, money, words = entry.ident("payee"), entry.amount("amount", UNIT), entry.text("words", limit=200)

    def run(session: Session) -> tuple[str, str]:
        shared = {"payer_id": holder_id, "payee_id": payee, "money": money, "words": words}
        service.pay(session, actor=current_actor(), now=now(), **shared)  # type: ignore[arg-type]
        return _("Noted. Above the limit it waits for a second person."), _open(holder_id)

    return _carry_out(entry, run, "amount", opened=holder_id)


@blueprint.post("/transfers/<uuid:transfer_id>")
@access("approver")
def decide_transfer(transfer_id: UUID) -> ResponseReturnValue:
    """Authorise a transfer above the limit or deny it."""
    agreed = acting.agreed()
    return acting.act(
        lambda session: service.decide_transfer(
            session, actor=current_actor(), transfer_id=transfer_id, agreed=agreed, now=now()
        ),
        _("Paid.") if agreed else _("Declined."),
        url_for("console_community.index"),
    )


@blueprint.post("/<uuid:holder_id>/leave")
@access("preparer")
def propose_leaving(holder_id: UUID) -> ResponseReturnValue:
    """Propose that a holder leaves, and that the members take over the debt."""
    entry = Entry(request.form)
    minutes = entry.text("minutes", limit=200)

    def run(session: Session) -> tuple[str, str]:
        service.propose_leaving(session, actor=current_actor(), holder_id=holder_id, minutes=minutes, now=now())
        return _("Proposed. Another person books it."), _open(holder_id)

    return _carry_out(entry, run, "minutes", opened=holder_id)


@blueprint.post("/leavings/<uuid:leaving_id>")
@access("approver")
def decide_leaving(leaving_id: UUID) -> ResponseReturnValue:
    """Let a holder leave, the debt shared by all, or decline it."""
    agreed = acting.agreed()
    return acting.act(
        lambda session: service.decide_leaving(session, actor=current_actor(), leaving_id=leaving_id, agreed=agreed, now=now()),
        _("Booked.") if agreed else _("Declined."),
        url_for("console_community.index"),
    )


def _open(holder_id: UUID) -> str:
    return url_for("console_community.index", open=holder_id)


def _carry_out(entry: Entry, run: Any, otherwise: str, *, opened: UUID | None = None) -> ResponseReturnValue:
    return acting.carry_out(entry, run, again=lambda: _page(dict(request.form), entry.errors, opened=opened), otherwise=otherwise)


def _page(form: dict[str, str], errors: dict[str, str], *, opened: UUID | None = None) -> ResponseReturnValue:
    with unit_of_work() as session:
        coop_id = current_coop()
        held = queries.holders(session, coop_id)
        facts = {
            "scheme": queries.scheme(session, coop_id),
            "held": held,
            "waiting": queries.transfers(session, coop_id, state="pending"),
            "leavings": queries.leavings(session, coop_id),
            "members": [(one.id, one.name) for one in producers.producers_of(session, coop_id=coop_id)],
        }
    given = {"form": form, "errors": errors, "actor": current_actor(), **facts}
    page = lists.show(DESK, "console/treasury/community.html", opened=opened, **given)
    return lists.answered(page, errors)
