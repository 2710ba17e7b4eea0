"""The staff pages around imports: a CSV's columns said once, rules made from a line, large files read by a worker."""

import io

import pytest
from sqlalchemy import select

from market.console.statements import files as pages
from market.kernel.outbox import OutboxRow
from market.statements import queries
from market.statements.match_models import BookingRule
from market.statements.rules.readers.guess import guess
from market.statements.rules.readers.source import Source
from tests.console.test_statements import BASE, account, desk, upload  # noqa: F401 - fixtures
from tests.factories.producers import make_coop
from tests.factories.statements import import_lines, line, make_file
from tests.factories.statements import make_account as make_bank_account
from workers import statements as tasks

CSV = (
    b"Kontoauszug;;;;\n\nBuchungstag;Verwendungszweck;Kundenreferenz (End-to-End);Betrag;Saldo\n"
    b"20.11.2026;Kaffee;;-2,50;1.097,50\n21.11.2026;Miete;RENT-11;-1.000,00;97,50\n"
)
COLUMNS = {
    "column_date": "Buchungstag", "column_text": "Verwendungszweck", "column_reference": "Kundenreferenz (End-to-End)",
    "column_amount": "Betrag", "column_balance": "Saldo",
}  # fmt: skip
STYLE = {"delimiter": ";", "header_row": "2", "decimal": ",", "date_format": "%d.%m.%Y"}


def test_the_proposal_is_right_for_a_usual_file() -> None:
    found = guess(Source(io.BytesIO(CSV)))
    mapping = found.mapping
    assert dict(mapping.columns) == {
        "date": "Buchungstag", "text": "Verwendungszweck", "amount": "Betrag", "balance": "Saldo",
        "reference": "Kundenreferenz (End-to-End)",
    }  # fmt: skip
    assert (mapping.delimiter, mapping.header_row, mapping.decimal, mapping.thousands) == (";", 2, ",", ".")
    assert (mapping.date_format, mapping.newest_first) == ("%d.%m.%Y", False)
    assert len(found.rows) == 2


def test_a_csv_leads_to_its_columns_and_is_imported_once_they_are_said(desk, session, account) -> None:  # noqa: F811
    answer = upload(desk, account, CSV)
    path = answer.location.removeprefix(BASE)
    page = desk.get(path).text
    assert "what its columns mean" in page
    form = desk.get(f"{path}/columns").text
    assert '<option value="Buchungstag" selected>' in form
    wrong = desk.post(f"{path}/columns", step="try", **COLUMNS, **(STYLE | {"date_format": "%Y-%m-%d"}))
    assert wrong.status_code == 422
    tried = desk.post(f"{path}/columns", step="try", **COLUMNS, **STYLE)
    assert "2 lines are read" in tried.text
    assert "Miete · RENT-11" in tried.text
    saved = desk.post(f"{path}/columns", step="save", **COLUMNS, **STYLE)
    assert saved.status_code == 303
    page = desk.get(path).text
    assert "€97.50" in page
    row = queries.files(session, account.id).items[0]
    assert row.outcome == "draft" or row.new_lines == 2
    another = upload(desk, account, CSV + b"22.11.2026;Tee;;-1,00;96,50\n")
    assert "mapping" not in desk.get(another.location.removeprefix(BASE)).text


def test_a_rule_is_made_with_a_booking_shown_and_ended(desk, session, coop, account) -> None:  # noqa: F811
    import_lines(session, account, [line(-450, ref="F1", name="Bank AG", text="fee")])
    (row,) = queries.lines(session, account.id).items
    desk.post(f"/lines/{row.id}/book", account_code="bank_charges", reason="monthly fee", always="yes")
    rule = session.scalars(select(BookingRule)).one()
    page = desk.get(f"/rules?account={account.id}&open={rule.id}").text
    assert "monthly fee" in page
    assert "suggests" in page
    assert desk.get(f"/rules/{rule.id}").status_code == 200
    assert desk.post(f"/rules/{rule.id}/end", reason="").status_code == 422
    assert desk.post(f"/rules/{rule.id}/end", reason="new bank").status_code == 303
    assert queries.rule(session, rule.id).ended_at is not None


def test_a_booking_that_no_rule_may_make_books_nothing(desk, session, account) -> None:  # noqa: F811
    import_lines(session, account, [line(-450, ref="F1", name="Bank AG", text="fee")])
    (row,) = queries.lines(session, account.id).items
    answer = desk.post(f"/lines/{row.id}/book", account_code="write_off", reason="small thing", always="yes")
    assert answer.status_code == 422
    assert queries.line(session, row.id).state == "new"


def test_a_large_file_is_read_by_a_worker_and_its_page_says_how_far(
    desk, session, account, monkeypatch: pytest.MonkeyPatch  # noqa: F811
) -> None:  # fmt: skip
    monkeypatch.setattr(pages, "LARGE", 100)
    answer = upload(desk, account, make_file(account, [line(100, ref=f"L{n}") for n in range(5)]))
    path = answer.location.removeprefix(BASE)
    page = desk.get(path).text
    assert 'data-poll="2"' in page
    announced = session.scalars(select(OutboxRow).where(OutboxRow.topic == "statements.received")).one()
    session.commit()
    for _ in range(2):
        tasks.read(**announced.payload)
    page = desk.get(path).text
    assert "data-poll" not in page
    assert queries.files(session, account.id).items[0].new_lines == 5


def test_files_and_rules_of_another_coop_are_not_there(desk, session, account) -> None:  # noqa: F811
    other = make_bank_account(session, coop=make_coop(session))
    assert desk.get(f"/{other.id}/rules").status_code == 404
