"""The staff pages of statements: upload, accept, book, undo, close; by forms alone, and only for one's own co-op."""

import io
import re
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from market.console.statements import files
from market.payouts import queries as payout_queries
from market.statements import queries
from market.statements.models import StatementFile
from market.statements.service import preparing
from tests.console.conftest import Desk
from tests.domain.statements.test_matching import matches, paid_line, sent_payout
from tests.domain.statements.test_several_accounts import SECOND, THIRD, joined, of
from tests.domain.statements.test_undoing import Returned
from tests.factories.accounts import make_account, make_staff
from tests.factories.producers import make_coop
from tests.factories.statements import DAY, import_lines, line, make_file
from tests.factories.statements import make_account as make_bank_account

BASE = "/console/statements"


@pytest.fixture
def account(session, coop):
    return make_bank_account(session, coop=coop)


class Statements(Desk):
    """The same two people at the pages of statements, the preparer unless somebody else is named."""

    def post(self, path, person=None, **form):
        return super().post(person or self.preparer, BASE + path, **form)

    def get(self, path, person=None):
        return super().get(person or self.preparer, BASE + path)


@pytest.fixture
def desk(client, session, coop):
    return Statements(client, session, coop)


def upload(desk, account, content: bytes):
    return desk.post(f"/{account.id}/files", file=(io.BytesIO(content), "november.xml"))


def only_line(session, account):
    (row,) = queries.lines(session, account.id, show="all").items
    return row


def test_a_statement_is_uploaded_matched_and_shown_with_its_evidence(desk, session, coop, account):
    payout, _ = sent_payout(session, coop)
    content = make_file(account, [paid_line(payout), line(3_333, ref="U", name="Unknown Sender")])
    answer = upload(desk, account, content)
    assert answer.status_code == 303
    page = desk.get(answer.location.removeprefix(BASE))
    assert "imported" in page.text
    assert payout_queries.payout(session, payout.id).state == "settled"
    queue = desk.get(f"/{account.id}").text
    assert "Unknown Sender" in queue
    assert "In our books" in queue
    assert "Difference" in queue
    matched = desk.get(f"/{account.id}?show=matched").text
    assert "Unknown Sender" not in matched
    row = queries.lines(session, account.id, show="matched").items[0]
    detail = desk.get(f"/lines/{row.id}").text
    assert "reference equal" in detail
    assert "amount equal" in detail
    assert "by a rule" in detail


def test_a_refused_file_says_why_and_can_be_downloaded_as_it_came(desk, session, account):
    answer = upload(desk, account, b"<!DOCTYPE x><Document/>")
    page = desk.get(answer.location.removeprefix(BASE)).text
    assert "Nothing of this file was imported" in page
    assert "DOCTYPE" in page
    file_id = answer.location.rsplit("/", 1)[1]
    back = desk.get(f"/files/{file_id}/content")
    assert back.data == b"<!DOCTYPE x><Document/>"
    assert back.headers["Content-Disposition"].startswith("attachment")


def test_what_is_too_large_to_be_kept_is_refused_in_words_and_nothing_of_it_is_kept(desk, client, session, account, monkeypatch):
    """A limit of a view counts before its form is read, which it is by then for the token."""
    monkeypatch.setitem(client.application.config, "MAX_CONTENT_LENGTH", 1_000)
    monkeypatch.setattr(preparing, "_KEPT_OF_NOTHING", 1_000)
    table = b"Date;Text;Amount\n" + b"2026-01-02;honey;1.00\n" * 500
    for content, kept in ((b"PK\x03\x04" + bytes(2_000), 0), (table, 1)):
        answer = upload(desk, account, content)
        assert answer.status_code == 303
        assert session.scalar(select(func.count()).select_from(StatementFile)) == kept
        assert ("zip archive" in client.get(answer.location).text) == (not kept)
    assert desk.get(answer.location.removeprefix(BASE) + "/content").data == table, "it waits for what its columns mean"

    monkeypatch.setattr(preparing, "_MOST_PACKED", 10)
    monkeypatch.setattr(files, "LARGE", 100)
    answer = upload(desk, account, table + b"2026-01-03;honey;1.00\n")
    assert "this file is larger" in client.get(answer.location).text
    assert session.scalar(select(func.count()).select_from(StatementFile)) == 1


def test_a_file_of_several_accounts_says_what_became_of_each_in_the_readers_language(desk, session, coop, account):
    second = make_bank_account(session, coop=coop, iban=SECOND, name="Savings")
    content = joined(
        make_file(account, [line(3, ref="A")], opening=500), make_file(second, [line(2, ref="B")]), make_file(of(THIRD), [])
    )
    path = upload(desk, account, content).location.removeprefix(BASE)
    page = desk.get(path).text
    assert "taken for other accounts" in page
    assert "Savings</a>" in page
    assert "the bank had 5.00 EUR on the account, and our books have 0.00 EUR" in page
    assert f"{THIRD} in EUR, which is not registered here" in page
    other = re.search(r'href="[^"]*(/files/[^"]*)">Savings', page)[1]
    assert desk.get(f"{other}/content").data == content
    spanish = desk.get(f"{path}?lang=es").text
    assert f"extractos de la cuenta {THIRD} en EUR" in spanish
    assert "el banco tenía" in spanish


def test_a_draft_is_imported_by_an_explicit_act(desk, session, account):
    content = make_file(account, [line(-12, ref="A")]).replace(b">0.12</Amt>", b">0.13</Amt>", 1)
    answer = upload(desk, account, content)
    path = answer.location.removeprefix(BASE)
    assert "Import all the same" in desk.get(path).text
    assert desk.post(f"{path}/confirm").status_code == 303
    assert queries.figures(session, account.id).open_lines == 1


def test_a_suggestion_is_accepted_from_the_queue(desk, session, coop, account):
    payout, _ = sent_payout(session, coop)
    import_lines(session, account, [paid_line(payout, -6_500)])
    desk.post(f"/{account.id}/match")
    row = only_line(session, account)
    assert "amount larger" in desk.get(f"/{account.id}").text
    answer = desk.post(f"/lines/{row.id}/accept/{row.suggestions[0].id}", back=f"{BASE}/{account.id}?show=open")
    assert answer.location.startswith(f"{BASE}/{account.id}")
    assert payout_queries.payout(session, payout.id).state == "settled"
    assert only_line(session, account).rest.minor == -20


def test_a_line_is_booked_in_parts_and_undone_with_reasons(desk, session, account):
    import_lines(session, account, [line(-1_912, ref="A")])
    row = only_line(session, account)
    assert desk.post(f"/lines/{row.id}/book", account_code="bank_charges", amount="0.12", reason="fee").status_code == 303
    wrong = desk.post(f"/lines/{row.id}/book", account_code="tax_payable", amount="12,50,1", reason="VAT of October")
    assert (wrong.status_code, "such as 1250.00 or 1250,00" in wrong.text, "VAT of October" in wrong.text) == (422, True, True)
    too_much = desk.post(f"/lines/{row.id}/book", account_code="tax_payable", amount="99.00", reason="VAT")
    assert (too_much.status_code, "still unexplained" in too_much.text) == (422, True)
    assert desk.post(f"/lines/{row.id}/book", account_code="tax_payable", reason="VAT of October").status_code == 303
    done = only_line(session, account)
    assert (done.state, done.rest.minor) == ("matched", 0)
    undone = desk.post(f"/lines/{row.id}/undo/{done.matches[0].id}", undo_reason="it was a tax")
    assert undone.status_code == 303
    assert only_line(session, account).rest.minor == -12
    assert "Taken back" in desk.get(f"/lines/{row.id}").text


def test_a_question_and_a_reference_are_taken_from_forms(desk, session, coop, account):
    payout, _ = sent_payout(session, coop)
    import_lines(session, account, [paid_line(payout, reference="", end_to_end="", text="no reference")])
    row = only_line(session, account)
    desk.post(f"/lines/{row.id}/park", question="Bo, is this ours?")
    assert "Bo, is this ours?" in desk.get(f"/{account.id}?show=parked").text
    refused = desk.post(f"/lines/{row.id}/reference", reference="RF99")
    assert (refused.status_code, "not one of our references" in refused.text) == (422, True)
    assert desk.post(f"/lines/{row.id}/reference", reference=payout.reference.lower()).status_code == 303
    assert payout_queries.payout(session, payout.id).state == "settled"


def test_a_period_is_prepared_by_one_and_closed_by_another(desk, session, account):
    import_lines(session, account, [line(3_333, ref="A", name="Unknown Sender")])
    assert desk.get("/closes").status_code == 200
    form = desk.get(f"/closes/new?ends_on={DAY}").text
    assert "Unknown Sender" in form
    key = f"line:{only_line(session, account).id}"
    short = desk.post("/closes/new", ends_on=DAY.isoformat(), **{key: "asked"})
    assert (short.status_code, "Explain this in a sentence" in short.text) == (422, True)
    done = desk.post("/closes/new", ends_on=DAY.isoformat(), **{key: "asked the bank, answer by Friday"})
    path = done.location.removeprefix(BASE)
    assert "You prepared this close" in desk.get(path).text
    early = DAY - timedelta(days=1)
    before = desk.post("/closes/new", ends_on=early.isoformat()).location.removeprefix(BASE)
    assert desk.post(path).status_code == 403
    assert desk.post(path, desk.approver).status_code == 303
    protocol = desk.get(path).text
    assert "asked the bank, answer by Friday" in protocol
    assert desk.get(f"/closes/new?ends_on={early}").status_code == 303
    assert "The books are closed through 20 Nov 2026 already." in desk.client.get(f"{BASE}/closes").text
    assert "A later period was closed while this close waited" in desk.get(before).text
    assert "overtaken by a later close" in desk.get("/closes?state=overtaken").text
    assert "suspense:1" in protocol
    short = desk.post(f"{path}/reopening", reason="wrong")
    assert (short.status_code, "Say in a sentence" in short.text) == (422, True)
    assert desk.post(f"{path}/reopening", reason="the rent was booked as wages").status_code == 303
    assert "Another person has to decide" in desk.get(path).text
    assert desk.post(f"{path}/reopening/withdrawal").status_code == 303
    assert "Something in this period is wrong?" in desk.get(path).text
    assert desk.post(f"{path}/reopening", reason="the rent was booked as wages").status_code == 303
    assert desk.post(f"{path}/reopening/decision", desk.approver, word="yes").status_code == 303
    assert "This period was opened again" in desk.get(path).text
    assert "opened again" in desk.get("/closes?state=reopened").text


def test_an_account_is_registered_by_an_approver(desk, session, coop):
    assert desk.get("/accounts/new").status_code == 403
    assert "Register" not in desk.get("/").text
    form = {
        "name": "Main",
        "iban": "DE89 3704 0044 0532 0130 00",
        "currency": "EUR",
        "opened_on": "2026-01-01",
        "opening": "500.00",
    }
    assert desk.post("/accounts/new", **form).status_code == 403
    bad = desk.post("/accounts/new", desk.approver, **form | {"iban": "DE00 3704 0044 0532 0130 00"})
    assert (bad.status_code, "check digits" in bad.text) == (422, True)
    assert desk.post("/accounts/new", desk.approver, **form).status_code == 303
    (account,) = queries.accounts(session, coop_id=coop.id)
    assert queries.figures(session, account.id).mirror.minor == 50_000
    assert "Main" in desk.get("/").text


def test_foreign_ids_are_missing_and_others_are_kept_out(desk, client, session, account):
    import_lines(session, account, [line(3_333, ref="A")])
    row = only_line(session, account)
    stranger = make_staff(session, coop=make_coop(session), role="approver")
    for path in (f"/{account.id}", f"/lines/{row.id}", f"/files/{queries.files(session, account.id).items[0].id}"):
        assert desk.get(path, stranger).status_code == 404
    for path in (f"/lines/{row.id}/book", f"/lines/{row.id}/park", f"/{account.id}/match"):
        assert desk.post(path, stranger, account_code="unidentified", reason="mine now", question="x").status_code == 404
    assert only_line(session, account).state == "new"
    assert desk.get("/", make_account(session)).status_code == 403


def test_the_queue_is_paged(desk, session, account):
    import_lines(session, account, [line(n, ref=f"R{n}", name=f"Payer {n:03d}") for n in range(1, 56)])
    first = desk.get(f"/{account.id}").text
    assert "Next page" in first
    assert first.count(">Look<") == 50


def test_a_return_is_taken_back_at_the_desk_and_a_payout_that_came_back_from_its_end(desk, session, coop, account):
    case = Returned(session, coop, account)
    payout_id, returned = case.payout.id, case.match.line_id
    (paid,) = [one.line_id for one in matches(session, target_kind="payout")]
    session.commit()

    def undo(line_id):
        match = next(one for one in queries.line(session, line_id).matches if not one.undone_at)
        return desk.post(f"/lines/{line_id}/undo/{match.id}", undone=str(match.id), undo_reason="it was the rent")

    page = desk.get(f"/lines/{returned}").text
    assert "counts as paid as before" in page
    refused = undo(paid)
    assert (refused.status_code, "Take the match of that line back first" in refused.text) == (422, True)
    assert undo(returned).status_code == 303
    session.expire_all()
    assert payout_queries.payout(session, payout_id).state == "settled"
    assert "it was the rent" in desk.get(f"/lines/{returned}").text
    shown = Desk.get(desk, desk.preparer, f"/console/payouts/one/{payout_id}").text
    assert "return taken back: paid as before" in shown
    assert undo(paid).status_code == 303
    session.expire_all()
    assert payout_queries.payout(session, payout_id).state == "sent"
