"""Law 8: each co-op sees only its own, and everybody only what their role allows, for every route there is.

Foreign ids are those of our co-op's rows, used by everybody who has nothing to do with them. What a route answers must be
what it declares; a foreign id is not found; a refused call leaves every row as it was. Each call is rolled back.
"""

import hashlib

from sqlalchemy import text

from market.http.auth import Access, permits
from market.kernel.actor import GUEST
from market.kernel.orm import Base
from market.producers import queries
from tests.architecture.samples import PERSONAL, SHARED
from tests.architecture.world import World, routes
from tests.factories.accounts import actor_for

REFUSED_WORDS = {
    "buyer": ("anonymous",),
    "producer": ("anonymous", "buyer", "staff", "other staff"),
    "staff": ("anonymous", "buyer", "other producer"),
    "preparer": ("anonymous", "buyer", "other producer"),
    "approver": ("anonymous", "buyer", "other producer", "preparer"),
    "admin": ("anonymous", "buyer", "other producer", "other staff", "staff"),
}
STRANGERS = {
    "public": ("anonymous", "buyer", "other producer", "other staff"),
    "buyer": ("buyer", "other staff", "other producer"),
    "producer": ("other producer",),
    "staff": ("other staff",),
    "preparer": ("other staff",),
    "approver": ("other staff",),
    "admin": (),
}
OWN = (
    ("staff", "staff"),
    ("preparer", "staff"),
    ("approver", "staff"),
    ("producer", "producer"),
    ("buyer", "owner"),
    ("admin", "admin"),
)
# Counters that a refused call may move: tries at the door.
COUNTERS = {"login_throttle"}


def _fingerprint(session) -> str:
    tables = sorted(name for name in Base.metadata.tables if name not in COUNTERS)
    parts = " UNION ALL ".join(
        f"SELECT '{name}' AS name, md5(coalesce(string_agg(t::text, ',' ORDER BY t::text), '')) FROM \"{name}\" t"
        for name in tables
    )
    rows = session.execute(text(parts)).all()
    return hashlib.sha256(repr(sorted(rows)).encode()).hexdigest()


def _writes(session) -> int:
    """How many rows of any table this transaction has written so far, those undone since included: the database counts them."""
    kinds = ("inserted", "updated", "deleted")
    counted = " + ".join(f"pg_stat_get_xact_tuples_{kind}(oid)" for kind in kinds)
    tables = "pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
    return session.execute(text(f"SELECT sum({counted})::bigint FROM {tables}")).scalar_one()


class _Walk:
    """Calls routes one by one, each undone, and notes what was not as declared."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.faults: list[str] = []
        self.routes = routes(world.app)
        for rule, _, _ in self.routes:
            world.path(rule)  # every sample exists before the first call
        world.session.commit()
        self.before = _fingerprint(world.session)

    def call(self, who: str, rule, method: str, *, watch: bool = True, nothing: bool = False, undo: bool = True) -> int:
        session = self.world.session
        path = self.world.path(rule, nothing=nothing)
        connection = session.get_bind()
        session.remove()  # ends the session's own savepoint, so that ours lies outside the next one
        connection.dialect.do_savepoint(connection, "walk")
        watched = watch and method != "GET"
        before = _writes(session) if watched else 0
        answer = self.world.call(who, method, path, rule.endpoint)
        self.where = f"{method} {path} ({rule.endpoint}) as {who}: {answer.status_code}"
        # Where nothing was written no row can have changed; all of them are read where something was.
        self.changed = watched and _writes(session) != before and _fingerprint(session) != self.before
        if undo:
            session.remove()
            connection.dialect.do_rollback_to_savepoint(connection, "walk")
        return answer.status_code

    def note(self, fault: str) -> None:
        self.faults.append(f"{self.where} {fault}")


def _refused(declared: Access) -> tuple[str, ...]:
    """Who may not call: refused by each of the words that would open the route."""
    refused = [set(REFUSED_WORDS[word]) for word in declared.words]
    return tuple(sorted(set.intersection(*refused)))


def _refusals(walk: _Walk) -> None:
    """Whoever lacks the role is refused and changes nothing.

    The decision is asked for everybody; that it is asked before the view runs is seen by calling, as nobody and as one of
    the others in turn.
    """
    people = walk.world.people.items()
    actors = {name: actor_for(walk.world.session, account) if account else GUEST for name, account in people}
    walk.world.session.commit()
    for number, (rule, method, declared) in enumerate(walk.routes):
        if declared.words & {"public", "webhook"}:
            continue
        refused = _refused(declared)
        walk.faults += [f"{method} {rule} is open for {who}" for who in refused if permits(declared, actors[who])]
        others = [who for who in refused if who != "anonymous"]
        for who in ("anonymous", *others[number % len(others) :][:1]) if others else ("anonymous",):
            status = walk.call(who, rule, method, watch=False, undo=False)
            if status not in ((401, 303) if who == "anonymous" else (403,)):
                walk.note("where a refusal is declared")
    if _fingerprint(walk.world.session) != walk.before:
        walk.faults.append("a refused call has changed rows")


def _strangers(walk: _Walk) -> None:
    """A foreign id is not found and changes nothing."""
    for rule, method, declared in walk.routes:
        if "webhook" in declared.words or not set(rule.arguments) - SHARED:
            continue
        if "public" in declared.words and not set(rule.arguments) & PERSONAL:
            continue
        for who in sorted({name for word in declared.words for name in STRANGERS[word]}):
            status = walk.call(who, rule, method)
            # A form may be refused before its row is looked for; then it must be refused alike for an id of nothing.
            if status != 404 and (method == "GET" or status != walk.call(who, rule, method, nothing=True, watch=False)):
                walk.note("where 404 is due")
            if walk.changed:
                walk.note("and rows changed")


def _owners(walk: _Walk) -> None:
    """One's own rows are found: the control without which the strangers' 404 would prove nothing."""
    for rule, method, declared in walk.routes:
        if declared.words & {"public", "webhook"}:
            continue
        who = next(person for word, person in OWN if word in declared.words)
        status = walk.call(who, rule, method, watch=False)
        if status in (401, 404) or status >= 500:
            walk.note("although it is their own")


def _public(walk: _Walk) -> None:
    """What everybody may call breaks for nobody."""
    for rule, method, declared in walk.routes:
        if "public" in declared.words and walk.call("anonymous", rule, method, watch=False) >= 500:
            walk.note("and broke")


def test_every_route_for_everybody(app, session):
    walk = _Walk(World(app, session))
    for part in (_refusals, _strangers, _owners, _public):
        part(walk)
    assert not walk.faults, "\n".join(walk.faults)


def test_the_walk_notices_a_route_that_shows_foreign_rows(app, session, monkeypatch):
    """A planted fault: row-level security switched off for staff, and a query that forgets the co-op."""
    monkeypatch.setattr(Access, "sees_everything", lambda self, actor: True)
    monkeypatch.setattr(queries, "member", lambda session, *, coop_id, producer_id: _anyones_member(session, producer_id))
    walk = _Walk(World(app, session))
    walk.routes = [route for route in walk.routes if route[0].endpoint == "console_people.member"]
    _strangers(walk)
    assert len(walk.faults) == 1


def _anyones_member(session, producer_id):
    return next(row for row in queries.member_page(session, coop_id=queries.producer(session, producer_id).coop_id).items)
