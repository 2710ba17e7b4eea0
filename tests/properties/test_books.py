"""Whatever happens in whatever order, repeated, refused or taken back: the books agree with a ledger of thirty lines, and all
laws hold after each step."""

from collections import defaultdict
from datetime import timedelta

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, multiple, rule, run_state_machine_as_test

from market.kernel.errors import DomainError
from market.ledger import queries
from market.ledger.errors import LimitExceeded, NotAMirror
from market.ledger.rules import CHART, Entry, kind_of
from market.ledger.service import book_of, post
from tests.domain.ledger.test_event_table import DAY, TABLE
from tests.factories.producers import make_coop
from tests.properties.desk import Desk, Made

EVENTS = [transaction for _, _, rows in TABLE for transaction in rows]


class PlainLedger:
    """Balances by account and currency, on the side on which the account grows; refuses what the chart forbids."""

    def __init__(self):
        self.balances = defaultdict(int)

    def post(self, transaction):
        after = self.balances.copy()
        for leg in transaction:
            for code, sign in ((leg.debit, 1), (leg.credit, -1)):
                after[code, leg.money.currency] += sign * kind_of(code).side * leg.money.minor
        for (code, currency), minor in after.items():
            floor = CHART[code.partition(":")[0]].floor
            if floor is not None and minor < floor and minor < self.balances[code, currency]:
                return False
        self.balances = after
        return True


class Books(RuleBasedStateMachine):
    """Events of the table in one co-op's books, and beside them the matches of a desk, made and taken back."""

    posted, matches = Bundle("posted"), Bundle("matches")

    def __init__(self, session, desk, undone):
        super().__init__()
        self.session, self.desk, self.undone, self.point = session, desk, undone, session.begin_nested()
        self.book, self.plain = book_of(session, make_coop(session).id), PlainLedger()
        self.number, self.reversed_ids = 0, set()
        self.live, self.nested, self.moved_on = [], [], False
        self.first = self.now = desk.look()

    def _law(self):
        """Single halves of premium events (E36, E37) break F-1 until the other half: every other law holds at every step."""
        assert [finding for finding in queries.check(self.session) if "F-1" not in finding.law] == []

    def _book(self, entry, agreed):
        """Post an entry, which the plain ledger agreed to or not; return it with its id."""
        self.number += 1
        try:
            with self.session.begin_nested():
                (booked_id,) = post(self.session, [entry])
        except (LimitExceeded, NotAMirror):
            assert not agreed
            return None
        assert agreed
        self._law()
        return entry, booked_id

    def _event(self, number):
        on = DAY + timedelta(days=self.number)
        return self._book(
            Entry(self.book, "event", f"event:{self.number}", on, "system", EVENTS[number]), self.plain.post(EVENTS[number])
        )

    @rule(target=posted, numbers=st.lists(st.integers(0, len(EVENTS) - 1), min_size=1, max_size=8))
    def events(self, numbers):
        booked = [self._event(number) for number in numbers]
        return multiple(*(one for one in booked if one))

    @rule(one=posted)
    def repeat(self, one):
        entry, booked_id = one
        assert post(self.session, [entry]) == [booked_id]

    @rule(target=posted, one=posted)
    def reverse(self, one):
        original, booked_id = one
        mirror = tuple(leg.mirrored() for leg in original.legs)
        agreed = booked_id not in self.reversed_ids and original.reverses is None and self.plain.post(mirror)
        if agreed:
            self.reversed_ids.add(booked_id)
        entry = Entry(self.book, "reversed", f"event:{self.number}", DAY, "system", mirror, reverses=booked_id)
        return self._book(entry, agreed) or multiple()

    def _decide(self, act, *given):
        """Let the desk do something; return what it gave. None when it refused, which has changed nothing."""
        before = self.now
        try:
            with self.session.begin_nested():
                found = act(*given) or True
        except DomainError:
            self.session.expire_all()
            assert self.desk.look() == before
            return None
        self.now = self.desk.look()
        self._law()
        return found

    def _match(self, line_id, reference):
        before = self.now
        found = self._decide(self.desk.match, line_id, reference)
        if found is None:
            return multiple()
        made = Made(*found, self.now.since(before), before)
        self.live.append(made)
        self.nested.append(made)
        return made

    @initialize(target=matches, data=st.data())
    def each_kind(self, data):
        return multiple(*(self._match(*pair) for pair in data.draw(st.permutations(self.desk.each_kind()))))

    @rule(target=matches, data=st.data(), comes_in=st.booleans())
    def match(self, data, comes_in):
        lines, named = (self.desk.credits, self.desk.paid_in) if comes_in else (self.desk.debits, self.desk.paid_out)
        return self._match(data.draw(st.sampled_from(lines)), data.draw(st.sampled_from(named)))

    @rule(made=matches)
    def undo(self, made):
        before, last = self.now, bool(self.live) and self.live[-1] is made
        if self._decide(self.desk.undo, made.id) is None:
            assert self.moved_on or not last, "the newest match is taken back as long as nothing followed from it"
            return
        self.undone.add(made.kind)
        self.live.remove(made)
        assert before.since(self.now) == made.moved, "the balances are as if it had never been made"
        if not self.nested or self.nested.pop() is not made:
            self.nested.clear()  # one of before was taken from under the others: what stood before them never comes back
        elif not self.moved_on:
            assert self.now == made.before
        assert self.desk.differing() == []

    @rule(what=st.sampled_from(["ship", "pay_out", "approve", "discard"]), n=st.integers(0, 1))
    def move_on(self, what, n):
        desk = self.desk
        act = {"ship": desk.ship, "pay_out": desk.pay_out, "approve": desk.pay_out, "discard": desk.discard}[what]
        given = {"ship": (n,), "pay_out": (False,), "approve": (True,), "discard": ()}[what]
        if self._decide(act, *given) is not None and what != "discard":
            self.moved_on = True

    def teardown(self):
        standing = {
            (one.code, one.money.currency): one.money.minor for one in queries.balances(self.session, self.book) if one.money
        }
        assert standing == {key: minor for key, minor in self.plain.balances.items() if minor}
        assert self.desk.differing() == []
        if not self.moved_on:
            for made in reversed(list(self.live)):
                self.undo(made)
            assert self.now == self.first, "as if none of them had ever been made"
        self.point.rollback()
        self.session.expire_all()


def test_random_sequences_keep_every_law(session):
    desk, undone = Desk.opened(session), set()
    chosen = settings(max_examples=4, stateful_step_count=16, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    run_state_machine_as_test(lambda: Books(session, desk, undone), settings=chosen)
    assert undone == {"succeeded", "surplus", "part_paid", "payout", "payout_return", "refund"}


@settings(max_examples=1, suppress_health_check=list(HealthCheck))
@given(order=st.permutations(EVENTS))
def test_all_events_in_any_order_keep_every_law(session, order):
    """Each event of the table once: what the chart allows is posted, what it forbids is refused, and the laws hold after each."""
    with session.begin_nested() as point:
        book, plain = book_of(session, make_coop(session).id), PlainLedger()
        for number, legs in enumerate(order):
            agreed = plain.post(legs)
            entry = Entry(book, "event", f"event:{number}", DAY, "system", legs)
            try:
                with session.begin_nested():
                    post(session, [entry])
            except LimitExceeded:
                assert not agreed
            else:
                assert agreed
            assert [finding for finding in queries.check(session) if "F-1" not in finding.law] == []
        standing = {(one.code, one.money.currency): one.money.minor for one in queries.balances(session, book) if one.money}
        assert standing == {key: minor for key, minor in plain.balances.items() if minor}
        point.rollback()
