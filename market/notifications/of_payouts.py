"""Who hears of what becomes of payouts: the payee of one that was paid and of whatever takes that word back, staff of trouble.

A fact of which the payout knows how often it happened carries that number: told late, it is told only while it still holds.
"""

from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from market.notifications.telling import Payload, Teller, Telling, as_money, person_of, staff_of, to_person
from market.payouts import queries as payouts
from market.payouts.queries import PayoutRow
from market.payouts.rules.reasons import blames_account, in_words
from market.producers import queries as producers


def _printed(session: Session, payload: Payload) -> list[Telling]:
    """Tell the payee that they were paid, unless that was taken back before anybody was told; again when it is paid anew."""
    payout = payouts.payout(session, UUID(payload["payout_id"]))
    if payout.state != "settled":
        return []
    again = f":{payout.times_unsettled}" if payout.times_unsettled else ""
    return _to_payee(session, payout, fact=f"settled{again}", kind="payout_settled", attach_statement=str(payout.id))


def _unsettled(session: Session, payload: Payload) -> list[Telling]:
    """Tell the payee that it is not known yet whether they were paid, unless it is again: then the next mail says what holds."""
    payout, times = payouts.payout(session, UUID(payload["payout_id"])), payload["times"]
    if payout.state == "settled" or str(payout.times_unsettled) != times:
        return []
    return _to_payee(session, payout, fact=f"unsettled:{times}", kind="payout_unsettled")


def _stopped(session: Session, payload: Payload) -> list[Telling]:
    coop_id = UUID(payload["coop_id"])
    found = payouts.stops(session, coop_id=coop_id)
    if not found:
        return []
    facts = {"found_in": {"said": found[-1].found_in}, "evidence": found[-1].evidence}
    return [
        to_person(person, fact=f"stop:{coop_id}:{found[-1].evidence}", kind="payouts_stopped", link=("payouts", ""), facts=facts)
        for person in staff_of(session, coop_id)
    ]


def _trouble(session: Session, payload: Payload) -> list[Telling]:
    payout = payouts.payout(session, UUID(payload["payout_id"]))
    reason = {"said": payout.reason or payout.state.replace("_", " ")}
    return _to_staff(session, payout, fact=payout.state, kind="payout_trouble", reason=reason)


def _returned(session: Session, payload: Payload) -> list[Telling]:
    """Tell payee and staff that a payout came back, each time, unless that was taken back before anybody was told."""
    payout, times = payouts.payout(session, UUID(payload["payout_id"])), payload.get("times", "0")
    if payout.state != "returned" or str(payout.times_returned) != times:
        return []
    again = f":{times}" if payout.times_returned > 1 else ""
    reason = payout.reason or "returned"
    told = _to_payee(session, payout, fact=f"came_back{again}", kind="payout_came_back", **_why(payout.rail, reason))
    return told + _to_staff(session, payout, fact=f"returned{again}", kind="payout_trouble", reason={"said": reason})


def _why(rail: str, reason: str) -> dict[str, Any]:
    """Return what the payee hears of the reason, and whether their account is at fault: cash came back as a receipt alone."""
    if rail == "cash":
        return {"receipt": reason}
    said, wrong = in_words(reason), blames_account(reason)
    return {"bank_says": {"said": said} if said else "", "account_wrong": wrong, "account_asked": not wrong}


def _stayed_paid(session: Session, payload: Payload) -> list[Telling]:
    """Tell payee and staff that a payout did not come back after all, unless it has since: then that mail says what holds."""
    payout, times = payouts.payout(session, UUID(payload["payout_id"])), payload["times"]
    if payout.state != "settled" or str(payout.times_returned) != times:
        return []
    told = _to_payee(session, payout, fact=f"paid_after_all:{times}", kind="payout_paid_after_all")
    return told + _to_staff(session, payout, fact=f"stayed_paid:{times}", kind="payout_stayed_paid")


def _to_payee(session: Session, payout: PayoutRow, *, fact: str, kind: str, **facts: Any) -> list[Telling]:
    person = person_of(session, payout.payee_id)
    if person is None:
        return []
    named = {"amount": as_money(payout.money), "reference": payout.reference}
    return [to_person(person, fact=f"payout:{payout.id}:{fact}", kind=kind, link=("money", ""), facts=named | facts)]


def _to_staff(session: Session, payout: PayoutRow, *, fact: str, kind: str, **facts: Any) -> list[Telling]:
    named = {"amount": as_money(payout.money), "reference": payout.reference}
    named["producer"] = producers.producer(session, payout.payee_id).name
    link = ("payout_run", str(payout.run_id))
    return [
        to_person(person, fact=f"payout:{payout.id}:{fact}", kind=kind, link=link, facts=named | facts)
        for person in staff_of(session, payout.coop_id)
    ]


OF_PAYOUTS: dict[str, Teller] = {
    "payouts.stopped": _stopped,
    "payouts.printed": _printed,
    "payouts.unsettled": _unsettled,
    "payouts.failed": _trouble,
    "payouts.returned": _returned,
    "payouts.stayed_paid": _stayed_paid,
    "payouts.needs_person": _trouble,
}
