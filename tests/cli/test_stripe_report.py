"""`flask bank stripe-report`: what Stripe reports and what we hold, line by line."""

from pathlib import Path

from tests.domain.statements.test_sweeps import swept
from tests.factories.producers import make_coop

HEAD = "automatic_payout_id,balance_transaction_id,currency,gross,fee,net,reporting_category\n"


def test_lines_that_agree_are_counted_and_others_named(app, session, tmp_path: Path) -> None:
    swept(session, make_coop(session), 9_825, "po_1")
    session.commit()
    report = tmp_path / "report.csv"
    report.write_text(HEAD + "po_1,txn_po_1,eur,-98.25,0.00,-98.25,payout\n")
    runner = app.test_cli_runner()
    answer = runner.invoke(args=["bank", "stripe-report", str(report)])
    assert (answer.exit_code, answer.output) == (0, "1 lines agree, 0 do not\n")
    report.write_text(HEAD + "po_1,txn_po_1,eur,-98.25,0.00,-98.25,payout\npo_1,txn_other,eur,1.00,0.25,0.75,charge\n")
    answer = runner.invoke(args=["bank", "stripe-report", str(report)])
    assert answer.exit_code == 1
    assert "txn_other: the report says 0.75 EUR, here is nothing" in answer.output
    report.write_text(HEAD + "po_1,txn_po_1,eur,1.00,0.25,0.80,charge\n")
    assert "less the fee" in runner.invoke(args=["bank", "stripe-report", str(report)]).output
