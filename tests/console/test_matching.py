"""The matching desk: lines by age and amount, candidates side by side, split, together, all exact ones, undo at once."""

from datetime import date
from typing import NamedTuple
from uuid import UUID

import pytest
from sqlalchemy import select

from market.kernel.ids import new_id
from market.payments import queries as payment_queries
from market.payouts import queries as payout_queries
from market.statements import queries
from market.statements.match_models import StatementSuggestion
from market.statements.models import MoneyAccount, StatementLine
from tests.domain.statements.test_matching import awaited_payment, sent_payout
from tests.factories.accounts import csrf_token, make_staff, sign_in
from tests.factories.statements import import_lines, line, make_account

BASE = "/console/matching"


class Person(NamedTuple):
    """Enough of an account to sign in with."""

    id: UUID


@pytest.fixture
def account_id(session, coop):
    return make_account(session, coop=coop).id


@pytest.fixture
def approver(session, coop):
    return Person(make_staff(session, coop=coop, role="approver").id)


@pytest.fixture
def staff(client, session, coop, approver):
    return sign_in(client, session, make_staff(session, coop=coop, role="preparer"))


def post(client, path, **form):
    return client.post(path, data={"csrf_token": csrf_token(client), **form})


def bank(session, account_id, *made):
    """Import lines and return their ids by amount."""
    account = session.get(MoneyAccount, account_id)
    import_lines(session, account, list(made))
    return {row.amount_minor: row.id for row in session.scalars(select(StatementLine))}


def suggest(session, line_id, payout, **changes):
    """A candidate as a rule would leave it."""
    row = session.get(StatementLine, line_id)
    values = {"target_kind": "payout", "target_id": payout.id, "kind": "full", "rule": "amount", "rank": 1, "part": 0}
    values |= {"line_minor": abs(row.amount_minor), "fee_minor": 0, "evidence": {"amount": "equal"}} | changes
    made = StatementSuggestion(id=new_id(), coop_id=row.coop_id, line_id=line_id, **values)
    session.add(made)
    row.state = "suggested"
    session.flush()
    return made.id


def state(session, line_id):
    session.expire_all()
    return queries.line(session, line_id)


def test_lines_stand_by_age_or_amount_with_what_is_left(staff, session, account_id):
    ids = bank(session, account_id, line(-1_000, ref="A", name="Tiny Shop"), line(-9_000, ref="B", name="Grand Mill"))
    text = staff.get(f"{BASE}?sort=largest").text
    assert text.index("Grand Mill") < text.index("Tiny Shop")
    assert "2 rows" in text
    assert "difference" in text
    assert "Tiny Shop" not in staff.get(f"{BASE}?amount=90.00").text
    assert "Tiny Shop" in staff.get(f"{BASE}?q=tin").text
    post(staff, f"/console/statements/lines/{ids[-1_000]}/park", question="Is this ours?")
    assert "Tiny Shop" in staff.get(f"{BASE}?show=parked").text
    assert "Grand Mill" not in staff.get(f"{BASE}?show=parked").text


def test_a_candidate_stands_beside_its_line_and_accepting_leads_on(staff, session, coop, account_id):
    payout, _ = sent_payout(session, coop)
    payout_id, minor, reference = payout.id, payout.money.minor, payout.reference
    ids = bank(session, account_id, line(-minor, ref="A", name="Somebody"), line(-77, ref="B", name="Other"))
    suggestion_id = suggest(session, ids[-minor], payout)
    text = staff.get(f"{BASE}?open={ids[-minor]}").text
    assert reference in text
    assert "Candidate 1" in text
    path = f"/console/statements/lines/{ids[-minor]}/accept/{suggestion_id}"
    answer = post(staff, path, back=f"{BASE}?open={ids[-77]}&last={ids[-minor]}")
    after = staff.get(answer.location).text
    assert "Take it back" in after
    assert "Other" in after
    assert payout_queries.payout(session, payout_id).state == "settled"
    assert f"/console/statements/lines/{ids[-minor]}" in staff.get(f"/console/payouts/one/{payout_id}").text
    (match,) = state(session, ids[-minor]).matches
    undone = post(staff, f"/console/statements/lines/{ids[-minor]}/undo/{match.id}", undo_reason="at once", back=BASE)
    assert undone.location == BASE
    assert state(session, ids[-minor]).state == "new"


def test_a_line_is_split_into_parts_all_or_none(staff, session, account_id):
    ids = bank(session, account_id, line(-1_912, ref="A"))
    path = f"{BASE}/lines/{ids[-1_912]}/split"
    fee = {"minor-1": "0.12", "account-1": "bank_charges", "reason-1": "fee of the bank"}
    too_much = post(staff, path, **fee, **{"minor-2": "99.00", "account-2": "tax_payable", "reason-2": "VAT"})
    assert (too_much.status_code, "still unexplained" in too_much.text) == (422, True)
    assert not state(session, ids[-1_912]).matches
    tax = {"minor-2": "19.00", "account-2": "tax_payable", "reason-2": "VAT of October"}
    assert post(staff, path, **fee, **tax).status_code == 303
    done = state(session, ids[-1_912])
    assert (done.state, sorted(each.money.minor for each in done.matches)) == ("matched", [12, 1_900])
    back = staff.get(f"{BASE}?last={done.id}").text
    assert "of it back</button>" in back, "one part after the other, as long as there are several"
    assert f"last={done.id}" in back.split('name="undo_reason"')[1].split("</form>")[0]


def test_write_offs_in_parts_keep_to_the_limit_together_and_are_proposed(staff, client, session, account_id, approver):
    ids = bank(session, account_id, line(-1_600, ref="A"), line(-1_700, ref="B"))
    parts = {f"minor-{n}": "8.00" for n in (1, 2)} | {f"account-{n}": "write_off" for n in (1, 2)}
    parts |= {f"reason-{n}": "nobody knows" for n in (1, 2)}
    for minor in (-1_600, -1_700):
        assert post(staff, f"{BASE}/lines/{ids[minor]}/split", **parts).status_code == 303
    assert "Proposed." in staff.get(BASE).text
    proposed = state(session, ids[-1_600])
    assert (proposed.state, proposed.matches, [each.money.minor for each in proposed.proposal.pieces]) == (
        "parked",
        [],
        [800, 800],
    )
    decision = f"/console/statements/proposals/{proposed.proposal.id}"
    assert "Somebody else has to accept it." in post(staff, decision, word="yes").text
    sign_in(client, session, approver)
    assert f"open={ids[-1_600]}" in client.get("/console").text
    assert "Proposed: a split in 2 parts" in client.get(f"{BASE}?open={ids[-1_600]}").text
    assert post(client, decision, word="yes").status_code == 303
    done = state(session, ids[-1_600])
    assert (done.state, [each.money.minor for each in done.matches]) == ("matched", [800, 800])
    other = f"/console/statements/proposals/{state(session, ids[-1_700]).proposal.id}"
    assert post(client, other, word="no", answer="look again").status_code == 303
    assert post(client, f"{BASE}/lines/{ids[-1_700]}/split", **parts).status_code == 303
    assert state(session, ids[-1_700]).rest.minor == -100


def test_a_refused_split_keeps_what_was_typed_beside_its_field(staff, session, account_id):
    ids = bank(session, account_id, line(-1_912, ref="A"))
    parts = {
        "minor-1": "19.00",
        "account-1": "tax_payable",
        "reason-1": "VAT of October",
        "minor-2": "0.12",
        "reference-2": "RF00",
    }
    path = f"{BASE}/lines/{ids[-1_912]}/split"
    for more, desk in (({}, False), ({"back": f"{BASE}?q=x&last=1"}, True)):
        refused = post(staff, f"{path}?sort=largest&open={ids[-1_912]}", **parts, **more)
        assert refused.status_code == 422
        assert 'value="VAT of October"' in refused.text
        assert 'id="e-reference-2"' in refused.text
        assert ('id="list"' in refused.text) is desk, "a form of the desk is answered by the desk"
        assert not desk or f"/console/matching?sort=largest&amp;open={ids[-1_912]}" in refused.text


def test_candidates_are_accepted_together(staff, session, coop, account_id):
    first, _ = sent_payout(session, coop)
    second, _ = sent_payout(session, coop)
    total = first.money.minor + second.money.minor
    names = [first.id, second.id]
    ids = bank(session, account_id, line(-total, ref="A"))
    chosen = [suggest(session, ids[-total], each, line_minor=each.money.minor, kind="partial") for each in (first, second)]
    assert post(staff, f"{BASE}/lines/{ids[-total]}/together", suggestion=chosen, back=BASE).status_code == 303
    assert state(session, ids[-total]).state == "matched"
    assert {payout_queries.payout(session, each).state for each in names} == {"settled"}


def test_together_the_last_candidate_gets_what_is_left_of_the_line(staff, session, coop, account_id):
    orders = [awaited_payment(session, coop, minor) for minor in (6_000, 5_000)]
    ids = bank(session, account_id, line(10_000, ref="A"))
    chosen = [
        suggest(session, ids[10_000], each, target_kind="payment", line_minor=each.money.minor, rank=rank)
        for rank, each in enumerate(orders)
    ]
    assert post(staff, f"{BASE}/lines/{ids[10_000]}/together", suggestion=chosen, back=BASE).status_code == 303
    assert state(session, ids[10_000]).rest.minor == 0
    assert [payment_queries.payment(session, each.id).due.minor for each in orders] == [0, 1_000]


def test_all_exact_ones_are_accepted_at_once_and_no_others(staff, session, coop, account_id):
    sure, _ = sent_payout(session, coop)
    doubtful, _ = sent_payout(session, coop)
    minor = sure.money.minor
    ids = bank(session, account_id, line(-minor, ref="A"), line(-minor - 5, ref="B"))
    suggest(session, ids[-minor], sure)
    suggest(session, ids[-minor - 5], doubtful, evidence={"amount": "larger"})
    assert "Accept the 1 exact one" in staff.get(BASE).text
    post(staff, f"{BASE}/exact/{account_id}", back=BASE)
    assert state(session, ids[-minor]).state == "matched"
    assert state(session, ids[-minor - 5]).state == "suggested"
    assert "exact one" not in staff.get(BASE).text


def test_what_takes_two_persons_is_proposed_and_found_by_an_approver(staff, client, session, account_id, approver):
    ids = bank(session, account_id, line(-2_500, ref="A"), line(-3_000, ref="B"))
    asked = {"account_code": "write_off", "reason": "nobody knows"}
    for minor in (-2_500, -3_000):
        assert post(staff, f"/console/statements/lines/{ids[minor]}/book", **asked).status_code == 303
    assert "Proposed." in staff.get(BASE).text
    proposed = state(session, ids[-2_500])
    assert (proposed.state, proposed.proposal.money.minor, proposed.matches) == ("parked", 2_500, [])
    again = post(staff, f"/console/statements/lines/{ids[-2_500]}/book", **asked)
    assert (again.status_code, "waits already" in again.text) == (422, True)
    own = staff.get(f"{BASE}?open={ids[-2_500]}").text
    assert "Take the proposal back" in own
    assert "Accept and book" not in own
    decision = f"/console/statements/proposals/{proposed.proposal.id}"
    assert "Somebody else has to accept it." in post(staff, decision, word="yes").text
    sign_in(client, session, approver)
    today = client.get("/console").text
    assert today.count("nobody knows") == 4  # a row and its button, twice
    assert f"open={ids[-2_500]}" in today
    assert "Accept and book" in client.get(f"{BASE}?open={ids[-2_500]}").text
    assert post(client, decision, word="yes").status_code == 303
    done = state(session, ids[-2_500])
    assert (done.state, done.proposal, done.matches[0].matched_by) == ("matched", None, f"account:{approver.id}")
    other = f"/console/statements/proposals/{state(session, ids[-3_000]).proposal.id}"
    assert "Say in a few words why not" in post(client, other, word="no").text
    assert post(client, other, word="no", answer="ask the shop first").status_code == 303
    declined = state(session, ids[-3_000])
    assert (declined.state, declined.question, declined.proposal) == ("new", "ask the shop first", None)
    assert "decided already" in post(client, other, word="yes").text


def test_several_lines_that_pay_one_payout_are_matched_and_taken_back_together(staff, session, coop, account_id):
    payout, _ = sent_payout(session, coop)
    ids = bank(session, account_id, line(-4_000, ref="A"), line(-2_480, ref="B"), line(-77, ref="C"))
    reference = f"/console/statements/lines/{ids[-4_000]}/reference"
    assert "match them together below" in post(staff, reference, reference=payout.reference).text
    path, facts = f"{BASE}/lines/{ids[-4_000]}/payout", {"of_payout": payout.reference, "step": "together"}
    assert str(ids[-2_480]) in staff.get(f"{BASE}?open={ids[-4_000]}").text
    wrong = post(staff, path, line=[ids[-77]], back=BASE, **facts)
    assert (wrong.status_code, "Together the lines are" in wrong.text) == (422, True)
    onward = post(staff, path, line=[ids[-2_480]], back=f"{BASE}?open={ids[-2_480]}&last={ids[-4_000]}", **facts)
    assert (onward.status_code, f"open={ids[-2_480]}" in onward.location) == (303, False)
    assert payout_queries.payout(session, payout.id).state == "settled"
    assert [state(session, ids[each]).state for each in (-4_000, -2_480)] == ["matched", "matched"]
    assert payout_queries.check(session) == queries.check(session) == []
    (part,) = state(session, ids[-2_480]).matches
    assert post(staff, f"/console/statements/lines/{ids[-2_480]}/undo/{part.id}", undo_reason="another one").status_code == 303
    assert payout_queries.payout(session, payout.id).state == "sent"
    assert [state(session, ids[each]).rest.minor for each in (-4_000, -2_480)] == [-4_000, -2_480]
    assert payout_queries.check(session) == queries.check(session) == []


def test_a_payout_that_the_bank_paid_twice_becomes_a_claim(staff, session, coop, account_id):
    payout, payee = sent_payout(session, coop)
    days = [date(2026, 11, day) for day in (18, 19, 20)]
    minors = (-6_480, -6_480, -6_481)
    ids = bank(session, account_id, *(line(minor, ref=str(day), day=day) for minor, day in zip(minors, days, strict=True)))
    lines = session.scalars(select(StatementLine).order_by(StatementLine.booked_on)).all()
    first, again, more = (row.id for row in lines)
    assert again == ids[-6_480]
    twice = {"of_payout": payout.reference, "step": "twice"}
    assert post(staff, f"{BASE}/lines/{again}/payout", **twice).status_code == 422  # no line has shown it yet
    reference = "/console/statements/lines/{}/reference"
    assert post(staff, reference.format(first), reference=payout.reference).status_code == 303
    assert "paid it twice, say so below" in post(staff, reference.format(again), reference=payout.reference).text
    assert post(staff, f"{BASE}/lines/{again}/payout", **twice).status_code == 303
    (match,) = state(session, again).matches
    assert match.account_code == f"claim:{payee.id}"
    refused = post(staff, f"{BASE}/lines/{more}/payout", **twice)
    assert (refused.status_code, "this line is more" in refused.text) == (422, True), "nobody owes more than went out"


def test_a_rule_that_was_not_made_or_still_counts_is_said(staff, session, account_id):
    ids = bank(session, account_id, line(-3_000, ref="A", name="Power Co"), line(-100, ref="B", name="Bank"))
    asked = {"reason": "monthly", "always": "yes"}
    post(staff, f"/console/statements/lines/{ids[-3_000]}/book", account_code="bank_charges", **asked)
    assert "No rule was made" in staff.get(BASE).text
    post(staff, f"/console/statements/lines/{ids[-100]}/book", account_code="bank_charges", **asked)
    rule = queries.rule_made_from(session, ids[-100])
    (match,) = state(session, ids[-100]).matches
    post(staff, f"/console/statements/lines/{ids[-100]}/undo/{match.id}", undo_reason="no fee")
    for page in (f"{BASE}?open={ids[-100]}", f"/console/statements/lines/{ids[-100]}"):
        shown = staff.get(page).text
        assert "still counts" in shown
        assert f"/console/statements/rules?open={rule.id}" in shown
