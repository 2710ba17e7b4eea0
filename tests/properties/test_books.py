"""Whatever happens in whatever order, repeated, refused or taken back: the books agree with a ledger of thirty lines."""

from collections import defaultdict
from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from market.ledger import queries
from market.ledger.errors import LimitExceeded, NotAMirror
from market.ledger.rules import CHART, Entry, kind_of
from market.ledger.service import book_of, post
from tests.domain.ledger.test_event_table import DAY, TABLE
from tests.factories.producers import make_coop

EVENTS = [transaction for _, _, rows in TABLE for transaction in rows]
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("post"), st.integers(0, len(EVENTS) - 1)),
        st.tuples(st.just("repeat"), st.integers(0, 20)),
        st.tuples(st.just("reverse"), st.integers(0, 20)),
    ),
    min_size=4,
    max_size=14,
)


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


@settings(max_examples=20, suppress_health_check=list(HealthCheck))
@given(steps=STEPS)
def test_random_events_keep_every_law(session, steps):
    with session.begin_nested() as point:
        book, plain = book_of(session, make_coop(session).id), PlainLedger()
        done: list[tuple[Entry, int]] = []
        reversed_ids: set[int] = set()
        for number, (act, choice) in enumerate(steps):
            if act == "post":
                entry = Entry(book, "event", f"event:{number}", DAY + timedelta(days=number), "system", EVENTS[choice])
                agreed = plain.post(entry.legs)
            elif not done:
                continue
            elif act == "repeat":
                entry, booked = done[choice % len(done)]
                assert post(session, [entry]) == [booked]
                continue
            else:
                original, booked = done[choice % len(done)]
                mirror = tuple(leg.mirrored() for leg in original.legs)
                entry = Entry(book, "reversed", f"event:{number}", DAY, "system", mirror, reverses=booked)
                agreed = booked not in reversed_ids and original.reverses is None and plain.post(mirror)
            try:
                with session.begin_nested():
                    (booked_id,) = post(session, [entry])
            except (LimitExceeded, NotAMirror):
                assert not agreed
            else:
                assert agreed
                done.append((entry, booked_id))
                if entry.reverses is not None:
                    reversed_ids.add(entry.reverses)
            assert _premium_apart(session) == []
        standing = {(one.code, one.money.currency): one.money.minor for one in queries.balances(session, book) if one.money}
        assert standing == {key: minor for key, minor in plain.balances.items() if minor}
        point.rollback()


@settings(max_examples=2, suppress_health_check=list(HealthCheck))
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
            assert _premium_apart(session) == []
        standing = {(one.code, one.money.currency): one.money.minor for one in queries.balances(session, book) if one.money}
        assert standing == {key: minor for key, minor in plain.balances.items() if minor}
        point.rollback()


def _premium_apart(session):
    """Single halves of premium events (E36, E37) break F-1 until the other half: every other law holds at every step."""
    return [finding for finding in queries.check(session) if "F-1" not in finding.law]
