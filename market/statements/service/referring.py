"""What a reference of ours means for a line, in a person's hand: the match with the payment, payout, refund, loan or premium."""

from sqlalchemy.orm import Session

from market.kernel.actor import Actor
from market.kernel.money import Money
from market.kernel.references import Kind, bare, parse
from market.kernel.words import N_, Term, say
from market.payments import queries as payment_queries
from market.payouts import queries as payout_queries
from market.payouts.queries import InTransit
from market.statements.errors import PaidAgain, ReasonNeeded, SuggestionGone, WrongDirection
from market.statements.models import MoneyAccount, StatementLine
from market.statements.service.applying import Wish, rest_of
from market.treasury import loan_queries as loans
from market.treasury import premium_queries as premiums


def meant(session: Session, line: StatementLine, account: MoneyAccount, reference: str, actor: Actor, *, pointer: str) -> Wish:
    """Return the match that a reference typed by a person means. Raises ReasonNeeded when it is none of ours."""
    found = parse(reference)
    if found is None:
        raise ReasonNeeded("This is not one of our references: RF and twelve digits. Look for a mistyped digit.", pointer=pointer)
    if found[0] is Kind.PAYMENT:
        return paid(session, line, reference, actor)
    of = {Kind.LOAN: lent, Kind.PREMIUM: premium_paid, Kind.REFUND: given_back}.get(found[0], settled)
    return of(session, line, account, reference, actor)


def paid(session: Session, line: StatementLine, reference: str, actor: Actor) -> Wish:
    """Return the match of a line's rest with the payment that a reference names. Raises SuggestionGone."""
    payment = payment_queries.payment_by_reference(session, reference)
    if payment is None:
        raise SuggestionGone("No payment has this reference.", pointer="/reference")
    minor, evidence = rest_of(line), {"reference": "by_person"}
    return Wish(line.id, "payment", payment.id, minor, "full", "person", actor.label, evidence=evidence)


def given_back(session: Session, line: StatementLine, account: MoneyAccount, reference: str, actor: Actor) -> Wish:
    """Return the match of a line's rest with the refund by bank that a reference names (E24). Raises SuggestionGone."""
    wanted = bare(reference)
    waiting = payment_queries.refunds_to_transfer(session, coop_id=account.coop_id, currency=account.currency)
    row = next((each for each in waiting if bare(each.reference) == wanted), None)
    if row is None or line.amount_minor > 0:
        raise SuggestionGone("No refund with this reference waits to be sent by bank.", pointer="/reference")
    evidence = {"reference": "by_person"}
    return Wish(line.id, "refund", row.id, rest_of(line), "full", "person", actor.label, evidence=evidence)


def lent(session: Session, line: StatementLine, account: MoneyAccount, reference: str, actor: Actor) -> Wish:
    """Return the match of a line with the loan that a reference names: its money came (E39), or a repayment went (E40).

    To a loan that has ended nothing comes any more. Raises SuggestionGone, WrongDirection for more than is still to come or on
    its way.
    """
    loan_id = loans.by_reference(session, reference, coop_id=account.coop_id)
    if loan_id is None:
        raise SuggestionGone("No loan that was taken on has this reference.", pointer="/reference")
    loan = loans.loan(session, loan_id, on=line.booked_on)
    minor, came = rest_of(line), line.amount_minor > 0
    to_come = loan.money - loan.received if loan.state == "accepted" else Money.zero(loan.money.currency)
    expected = to_come if came else loan.on_its_way
    if expected.currency != account.currency or expected.minor < minor:
        raise WrongDirection(say("Of this loan only %(money)s is expected on a line.", money=expected), pointer="/reference")
    code = loans.account_of(loan_id) if came else f"in_transit:{loans.rail_of(loan_id)}"
    evidence = {"reference": "by_person"}
    return Wish(line.id, "account", None, minor, "full", "person", actor.label, account_code=code, evidence=evidence)


def premium_paid(session: Session, line: StatementLine, account: MoneyAccount, reference: str, actor: Actor) -> Wish:
    """Return the match of a line with the premium on account that a reference names (E35).

    Raises SuggestionGone, WrongDirection.
    """
    invoice_id = premiums.by_reference(session, reference, coop_id=account.coop_id)
    if invoice_id is None:
        raise SuggestionGone("No premium that was invoiced has this reference.", pointer="/reference")
    due, minor = premiums.invoice(session, invoice_id).due, rest_of(line)
    if line.amount_minor < 0 or due.currency != account.currency or due.minor < minor:
        raise WrongDirection(say("Of this premium only %(money)s is expected on a line.", money=due), pointer="/reference")
    evidence = {"reference": "by_person", "invoice": str(invoice_id)}
    code = premiums.RECEIVABLE
    return Wish(line.id, "account", None, minor, "full", "person", actor.label, account_code=code, evidence=evidence)


def settled(session: Session, line: StatementLine, account: MoneyAccount, reference: str, actor: Actor) -> Wish:
    """Return the match of a line with the payout that a reference names, or with its return. Raises SuggestionGone."""
    incoming = line.amount_minor > 0
    row = (shown_before if incoming else on_its_way)(session, account, reference)
    if row is None:
        if not incoming and shown_before(session, account, reference) is not None:
            raise PaidAgain(
                "Another line has shown this payout already. If the bank paid it twice, say so below.", pointer="/reference"
            )
        state = "settled" if incoming else N_("on its way")
        raise SuggestionGone(say("No payout with this reference is %(state)s.", state=Term(state)), pointer="/reference")
    kind, target = ("return", "payout_return") if incoming else ("full", "payout")
    minor = min(rest_of(line), row.money.minor)
    fee = row.money.minor - minor if incoming else 0
    evidence = {"reference": "by_person", "reason": line.return_reason}
    return Wish(line.id, target, row.payout_id, minor, kind, "person", actor.label, fee_minor=fee, evidence=evidence)


def shown_before(session: Session, account: MoneyAccount, reference: str) -> InTransit | None:
    """Return the payout of a reference that a line of the account has shown; None when none has."""
    wanted = bare(reference)
    rows = payout_queries.settled(
        session, coop_id=account.coop_id, rails=account.rails, currency=account.currency, references=[wanted]
    )
    return next((row for row in rows if row.reference == wanted), None)


def on_its_way(session: Session, account: MoneyAccount, reference: str) -> InTransit | None:
    """Return the payout of a reference that no line of the account has shown yet; None when none is on its way."""
    wanted = bare(reference)
    rows = payout_queries.in_transit(session, coop_id=account.coop_id, rails=account.rails, currency=account.currency)
    return next((row for row in rows if row.reference == wanted), None)
