"""What every part of the simulator needs at hand: store, clock, settings, and the making of events."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from stripe._api_version import _ApiVersion

from market.kernel.clock import SystemClock

from .problems import Refusal, missing
from .store import Body, Store, public

CLOCK = SystemClock()


@dataclass(frozen=True)
class Options:
    """How the server was started."""

    port: int
    public_url: str
    webhook_url: str | None
    webhook_secret: str
    key: str
    available_after: int = 0  # seconds until a charge's money may be sent on
    delayed_after: int = 0  # seconds until a bank debit settles by itself; 0 = only by control call
    payout_every: int = 0  # seconds between automatic payouts; 0 = only by control call


@dataclass
class Request:
    """One call as a handler sees it: typed parameters, the ids in the path, and the caller's headers."""

    method: str
    path: str
    ids: tuple[str, ...]
    params: Body
    key: str | None = None
    account: str | None = None
    id: str = ""


@dataclass
class World:
    """The whole simulated provider."""

    store: Store
    options: Options
    clock_offset: int = 0
    request: Request | None = field(default=None)

    def now(self) -> float:
        """The simulator's own clock; a control call moves it."""
        return CLOCK.now().timestamp() + self.clock_offset

    def seconds(self) -> int:
        """The clock in whole seconds, as Stripe writes instants."""
        return int(self.now())

    def year(self) -> int:
        """The year by that clock, of which expiry dates are judged."""
        return datetime.fromtimestamp(self.now(), UTC).year

    def new(self, kind: str, prefix: str, **fields: Any) -> Body:
        """Store and return a new object with the fields that every object has."""
        body = {"id": self.store.new_id(prefix), "object": kind, "created": self.seconds(), "livemode": False, **fields}
        return self.store.add(body)

    def need(self, kind: str, identity: object, param: str = "id") -> Body:
        """Return an object, or refuse as Stripe does for an id that it does not know."""
        found = self.store.get(kind, str(identity))
        if found is None:
            raise missing(kind.rpartition(".")[2].replace("_", ""), str(identity), param)
        return found

    def tell(self, kind: str, subject: Body) -> Body:
        """Record an event with a snapshot of `subject`, and queue its delivery."""
        request = self.request
        event = self.new(
            "event",
            "evt",
            type=kind,
            api_version=_ApiVersion.CURRENT,
            pending_webhooks=1,
            data={"object": public(subject)},
            request={"id": request.id if request else None, "idempotency_key": request.key if request else None},
        )
        if self.options.webhook_url:
            self.store.rows("INSERT INTO delivery (event, due_at) VALUES (?, ?)", event["id"], self.now())
        return event

    def effect(self, kind: str, subject: Body, **more: object) -> None:
        """Write a movement of money to the effect log: the oracle of the fault tests."""
        self.store.effect(
            kind=kind,
            id=subject["id"],
            amount=subject.get("amount_captured") or subject["amount"],
            currency=subject["currency"],
            at=self.seconds(),
            idempotency_key=self.request.key if self.request else None,
            **more,
        )


def expand(world: World, body: Any, paths: list[str]) -> Any:
    """Replace ids by the objects they name, as `expand[]` asks."""
    for path in paths:
        if len(path.split(".")) > 4:
            raise Refusal(400, "You cannot expand more than 4 levels", executed=False, param="expand")
        _expand(world, body, path.split("."))
    return body


def _expand(world: World, body: Any, steps: list[str]) -> None:
    if isinstance(body, list):
        for item in body:
            _expand(world, item, steps)
    elif isinstance(body, dict) and steps:
        first, *rest = steps
        if first not in body:
            raise Refusal(400, f"This property cannot be expanded ({first}).", executed=False, param="expand")
        if isinstance(body[first], str):
            body[first] = world.store.get(None, body[first]) or body[first]
        _expand(world, body[first], rest)


Filter = tuple[str, list[object]]


def listing(world: World, request: Request, kind: str, filters: list[Filter] | None = None, **columns: str) -> Body:
    """Answer a list call: paging, `created`, and equality filters (parameter name -> JSON path)."""
    where: list[Filter] = list(filters or ())
    for name, path in columns.items():
        if name in request.params:
            where.append((f"json_extract(body, '$.{path}') = ?", [request.params[name]]))
    created = request.params.get("created")
    for sign, operator in (("gt", ">"), ("gte", ">="), ("lt", "<"), ("lte", "<=")):
        if isinstance(created, dict) and sign in created:
            where.append((f"json_extract(body, '$.created') {operator} ?", [created[sign]]))
    if isinstance(created, int):
        where.append(("json_extract(body, '$.created') = ?", [created]))
    if not 1 <= int(request.params.get("limit", 10)) <= 100:
        raise Refusal(400, "Limit must be between 1 and 100", executed=False, param="limit")
    page, more = world.store.page(kind, where, request.params)
    return {"object": "list", "data": page, "has_more": more, "url": request.path}
