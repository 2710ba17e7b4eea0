"""A repayment of a loan as a bank file: the same pain.001 as payouts, one transfer to the lender, written once (E40)."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from market.kernel.clock import day_in
from market.payouts.errors import DetailsRefused, StepRefused
from market.payouts.queries import settings_of
from market.payouts.rules.accounts import check_bank_account
from market.payouts.rules.pain001 import CreditTransfer, CreditTransferFile, Party, write_pain001
from market.producers import queries as producers
from market.treasury import loan_queries as loans
from market.treasury import service as treasury


def repayment_file(session: Session, *, coop_id: UUID, repayment_id: UUID, now: datetime) -> tuple[str, bytes]:
    """Return name and bytes of the bank file of a booked repayment; every time the same ones.

    It names the loan's reference, by which the debit on the statement is matched. Raises StepRefused before a second person has
    booked it, DetailsRefused without accounts that SEPA reaches or in another currency.
    """
    coop = producers.coop(session, coop_id)
    loan = loans.loan(session, loans.loan_of(session, repayment_id), on=day_in(now, coop.time_zone))
    row = next(one for one in loan.repayments if one.id == repayment_id)
    if row.state != "booked" or row.decided_at is None:
        raise StepRefused("The bank file is written when a second person has booked the repayment.", state=row.state)
    money = row.principal + row.interest
    account, own = check_bank_account(iban=loan.iban, bic=loan.bic), check_bank_account(iban=coop.iban, bic=coop.bic)
    if money.currency != "EUR" or not (account.in_sepa and own.in_sepa):
        raise DetailsRefused("A SEPA transfer carries euros between accounts that SEPA reaches.", pointer="/iban")
    reference, settings = loan.reference.replace(" ", ""), settings_of(session, coop.id)
    message = f"LOAN-{reference[4:]}-{row.id.hex[-12:]}"
    order = CreditTransferFile(
        message_id=message,
        created_at=row.decided_at,
        execute_on=day_in(row.decided_at, coop.time_zone),
        debtor=Party(coop.account_holder or coop.name, own.iban, own.bic),
        transfers=[CreditTransfer(message, row.id, money, Party(loan.lender, account.iban, account.bic), reference)],
        version=settings.file_format,
    )
    body = treasury.keep_file(session, repayment_id=row.id, message_id=message, body=write_pain001(order), now=now)
    return f"{message}.xml", body
