"""The bank's report about a payment file (pain.002): accepted, rejected with its reason, contradictions for a person."""

from io import BytesIO

import pytest

from market.ledger import queries as books
from market.payouts import queries as payout_queries
from market.statements import service
from market.statements.rules.readers.pain002 import read_pain002
from market.statements.rules.readers.source import Source
from market.statements.rules.shapes import Unreadable
from market.statements.service.reports import import_prepared
from tests.conftest import NOW
from tests.domain.statements.test_matching import balance, paid_line, sent_payout
from tests.factories.producers import make_coop
from tests.factories.statements import CLERK, import_lines, make_account


def report(message_id: str, payments: str = "", group: str = "", namespace: str = "", batch: str = "") -> bytes:
    status = f"<GrpSts>{group}</GrpSts>" if group else ""
    payments = (f"<PmtInfSts>{batch}</PmtInfSts>" if batch else "") + payments
    return (
        f"<Document{namespace}><CstmrPmtStsRpt><GrpHdr><MsgId>B1</MsgId></GrpHdr><OrgnlGrpInfAndSts><OrgnlMsgId>{message_id}"
        f"</OrgnlMsgId><OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId>{status}</OrgnlGrpInfAndSts><OrgnlPmtInfAndSts>"
        f"<OrgnlPmtInfId>{message_id}</OrgnlPmtInfId>{payments}</OrgnlPmtInfAndSts></CstmrPmtStsRpt></Document>"
    ).encode()


def payment(reference: str, status: str, reason: str = "") -> str:
    why = f"<StsRsnInf><Rsn><Cd>{reason}</Cd></Rsn><AddtlInf>said the bank</AddtlInf></StsRsnInf>" if reason else ""
    return f"<TxInfAndSts><OrgnlEndToEndId>{reference}</OrgnlEndToEndId><TxSts>{status}</TxSts>{why}</TxInfAndSts>"


def take(session, account, content: bytes) -> service.Imported:
    prepared = service.prepare_file(BytesIO(content), name="status.xml", currency="EUR")
    return import_prepared(session, money_account_id=account.id, prepared=prepared, actor=CLERK, now=NOW)


@pytest.fixture
def coop(session):
    return make_coop(session)


@pytest.fixture
def account(session, coop):
    return make_account(session, coop=coop)


def message_of(session, payout) -> str:
    (file,) = payout_queries.files_of_run(session, payout.run_id)
    return file.message_id


def test_a_rejected_payment_is_owed_again_with_the_banks_reason(session, coop, account) -> None:  # E42
    payout, _ = sent_payout(session, coop)
    content = report(message_of(session, payout), payment(payout.reference, "RJCT", "AC01"))
    result = take(session, account, content)
    assert result.outcome == "imported"
    assert any("AC01 said the bank" in finding["text"] for finding in result.findings)
    after = payout_queries.payout(session, payout.id)
    assert (after.state, after.reason) == ("failed", "AC01 said the bank")
    assert balance(session, account, "in_transit:sepa") == 0
    assert take(session, account, content).outcome == "known"
    assert books.check(session) == []


@pytest.mark.parametrize("status", ["ACCP", "ACSC", "PDNG"])
def test_accepted_is_not_paid(session, coop, account, status: str) -> None:
    payout, _ = sent_payout(session, coop)
    result = take(session, account, report(message_of(session, payout), payment(payout.reference, status)))
    assert [finding["text"][:10] for finding in result.findings] == ["0 accepted" if status == "PDNG" else "1 accepted"]
    assert payout_queries.payout(session, payout.id).state == "sent"
    import_lines(session, account, [paid_line(payout)])
    service.run_matching(session, money_account_id=account.id, actor=CLERK, now=NOW)
    assert payout_queries.payout(session, payout.id).state == "settled"


@pytest.mark.parametrize(("group", "batch"), [("RJCT", ""), ("", "RJCT"), ("ACTC", "RJCT"), ("PART", "RJCT")])
def test_a_file_rejected_as_a_whole_rejects_its_payments(session, coop, account, group: str, batch: str) -> None:
    """A bank takes a file that it can read, and rejects the one group of payments in it."""
    payout, _ = sent_payout(session, coop)
    take(session, account, report(message_of(session, payout), group=group, batch=batch))
    assert payout_queries.payout(session, payout.id).state == "failed"


def test_a_rejection_after_the_money_left_is_for_a_person(session, coop, account) -> None:
    payout, _ = sent_payout(session, coop)
    import_lines(session, account, [paid_line(payout)])
    service.run_matching(session, money_account_id=account.id, actor=CLERK, now=NOW)
    result = take(session, account, report(message_of(session, payout), payment(payout.reference, "RJCT", "AC04")))
    assert payout_queries.payout(session, payout.id).state == "settled"
    assert [finding["code"] for finding in result.findings] == ["payments_accepted", "payment_puzzling"]


def test_a_report_about_another_file_is_refused_and_kept(session, account) -> None:
    result = take(session, account, report("NOT-OURS", payment("RF18", "RJCT")))
    assert result.outcome == "refused"
    assert "NOT-OURS" in (result.reason or "")


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (report("M", payment("X", "MAYBE")), "bad_line"),
        (report("M", payment("", "RJCT")), "bad_line"),
        (report("", payment("X", "RJCT")), "no_statement"),
        (report("M"), "no_statement"),
        (b"<!DOCTYPE a []>" + report("M", group="RJCT"), "doctype"),
        (report("M", group="RJCT")[:-30], "truncated"),
    ],
)
def test_a_report_that_says_nothing_certain_is_refused(content: bytes, code: str) -> None:
    with pytest.raises(Unreadable) as refusal:
        read_pain002(Source(BytesIO(content)))
    assert refusal.value.code == f"statements.{code}"
