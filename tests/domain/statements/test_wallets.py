"""A wallet is kept by somebody else like a bank account: its statement settles mobile-money payouts (E45)."""

from io import BytesIO

import pytest
from sqlalchemy import select

from market.ledger import queries as books
from market.ledger import service as ledger
from market.payouts import queries as payouts
from market.payouts import service as payout_service
from market.payouts.ports import Accepted
from market.payouts.queries.check import check as payout_check
from market.statements import service
from market.statements.errors import BadIban
from market.statements.match_models import StatementSuggestion
from market.statements.models import StatementLine
from market.statements.rules.readers.delimited import CsvMapping
from market.statements.service.csv_formats import mappings_of
from tests.conftest import NOW
from tests.factories.payouts import APPROVER, take, wallet_payout
from tests.factories.producers import make_coop
from tests.factories.statements import CLERK, import_bytes, make_account

MAPPING = CsvMapping(
    {
        "date": "Date", "text": "Type", "amount": "Amount", "balance": "Balance", "counterparty_account": "To",
        "line_ref": "Transaction Id", "counterparty": "Our reference", "status": "Status",
    },
    skip={"Status": ["FAILED"]},
)  # fmt: skip
HEAD = "Date,Transaction Id,Type,To,To name,Our reference,Amount,Balance,Status\n"


def test_the_wallet_s_rows_settle_the_payout_and_its_fee_is_a_row_of_its_own(session):
    coop = make_coop(session)
    to_wallet = wallet_payout(session, coop)
    payout_service.record_outcome(session, claim=take(session), answer=Accepted("MP1"), now=NOW)
    bank = make_account(session, coop=coop)
    wallet = make_account(session, coop=coop, name="MoMo float", iban="+250 788 000 001", wallet=True)
    assert (wallet.mirror, wallet.suspense, wallet.iban, bank.mirror) == ("wallet:1", "suspense:2", "250788000001", "bank:1")
    rows = [
        "2026-11-25,MP0,Transfer,250788000150,,RF00,-9.00,100.00,FAILED",
        f"2026-11-25,MP1,Transfer,250788000123,,{to_wallet.reference},-64.80,35.20,SUCCESSFUL",
        f"2026-11-25,MP1-FEE,Fee,250788000123,,{to_wallet.reference},-0.32,34.88,SUCCESSFUL",
    ]
    content = (HEAD + "\n".join(rows) + "\n").encode()
    first = import_bytes(session, wallet, content)
    assert first.outcome == "refused", "nobody has said what the columns are"
    service.save_mapping(session, file_id=first.file_id, mapping=MAPPING, actor=CLERK, now=NOW)
    mappings = mappings_of(session, wallet.id)
    prepared = service.prepare_file(BytesIO(content), name="float.csv", currency="EUR", mappings=mappings)
    service.import_file(session, money_account_id=wallet.id, prepared=prepared, actor=CLERK, now=NOW, confirmed=True)
    service.run_matching(session, money_account_id=wallet.id, actor=CLERK, now=NOW)
    assert payouts.payout(session, to_wallet.id).state == "settled"
    book = ledger.book_of(session, coop.id)
    left = {code: books.balance(session, book, code, "EUR").minor for code in ("in_transit:momo", "suspense:2", "bank_charges")}
    assert left == {"in_transit:momo": 0, "suspense:2": 32, "bank_charges": 0}, "only the fee is left to explain"
    row = session.scalars(select(StatementLine).where(StatementLine.amount_minor == -32)).one()
    choice = {"line_id": row.id, "account_code": "bank_charges", "reason": "the provider's fee"}
    service.book_line(session, **choice, actor=APPROVER, now=NOW)
    assert books.balance(session, book, "suspense:2", "EUR").minor == 0
    assert payout_check(session) == []
    rows += ["2026-11-26,MP1-R,Reversal,250788000123,,,64.80,99.68,SUCCESSFUL"]
    again = BytesIO((HEAD + "\n".join(rows) + "\n").encode())
    prepared = service.prepare_file(again, name="float.csv", currency="EUR", mappings=mappings)
    service.import_file(session, money_account_id=wallet.id, prepared=prepared, actor=CLERK, now=NOW, confirmed=True)
    service.run_matching(session, money_account_id=wallet.id, actor=CLERK, now=NOW)
    suggestion = session.scalars(select(StatementSuggestion)).one()
    assert (suggestion.kind, suggestion.target_id) == ("return", to_wallet.id)
    service.accept_suggestion(session, suggestion_id=suggestion.id, line_id=suggestion.line_id, actor=CLERK, now=NOW)
    assert payouts.payout(session, to_wallet.id).state == "returned"
    assert payout_check(session) == []


def test_a_wallet_has_a_number_of_digits(session) -> None:
    for wrong in ("", "12345", "DE89370400440532013000"):
        with pytest.raises(BadIban):
            make_account(session, iban=wrong, wallet=True)
