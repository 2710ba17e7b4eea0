"""Who calls, and whether they may (rule M3): `@access` on a view is the declaration and its enforcement.

Words: `public` (anybody), `buyer` (anybody signed in), `producer`, `preparer`, `approver`, `staff` (preparer or approver),
`admin`, `webhook` (the view checks the sender's signature itself). Several words mean any of them. A key needs the scope
that the view names. A view without a declaration is refused. What may be sent to a view that takes more or less than others is
declared here, too, because forms are read before their view runs.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

from flask import Flask, Request, current_app, g, redirect, request, url_for
from werkzeug.wrappers import Response

from market.kernel import tenancy
from market.kernel.actor import GUEST, Actor
from market.kernel.errors import DomainError, Forbidden
from market.kernel.words import say

WORDS = frozenset({"public", "buyer", "producer", "preparer", "approver", "staff", "admin", "webhook"})
F = TypeVar("F", bound=Callable[..., Any])
Resolver = Callable[[Request], Actor | None]


@dataclass(frozen=True, slots=True)
class Access:
    """Who may call a view; `scope` is what an API key needs (None: keys may not call it).

    `largest` is how many bytes a request may have (None: as many as those of any view).
    """

    words: frozenset[str]
    scope: str | None = None
    largest: int | None = None

    def sees_everything(self, actor: Actor) -> bool:
        """Whether the view works over all co-ops for this actor (its queries filter by person), not inside one."""
        return bool(self.words & {"public", "buyer", "webhook"}) or ("admin" in self.words and "admin" in actor.roles)


PUBLIC = Access(frozenset({"public"}))
# Views that libraries bring: their endpoints cannot carry the decorator.
OF_LIBRARIES: dict[str, Access] = {"static": PUBLIC}


class SignInNeeded(DomainError):
    """Nobody is signed in and the view is not public."""

    kind = "anonymous"
    code = "auth.sign_in_needed"


class NotYours(Forbidden):
    """Somebody is signed in who has not the role that the view asks for."""

    code = "auth.role_missing"


class ScopeMissing(Forbidden):
    """The API key does not carry the scope that the call needs."""

    code = "auth.scope_missing"


def access(*words: str, scope: str | None = None, largest: int | None = None) -> Callable[[F], F]:
    """Declare who may call a view, and how much they may send; raises ValueError for a word that is none."""
    if not words or not set(words) <= WORDS:
        raise ValueError(f"access words are {sorted(WORDS)}, not {words}")

    def mark(view: F) -> F:
        view.__access__ = Access(frozenset(words), scope, largest)  # type: ignore[attr-defined]
        return view

    return mark


def access_of(app: Flask, endpoint: str, method: str) -> Access | None:
    """Return the declaration of a view, or None when it has none."""
    for prefix, declared in OF_LIBRARIES.items():
        if endpoint == prefix or endpoint.startswith(prefix + "."):
            return declared
    view = app.view_functions[endpoint]
    view_class = getattr(view, "view_class", None)
    if view_class is not None:
        handler = getattr(view_class, method.lower(), None) or getattr(view_class, "get", None)
        found = getattr(handler, "__access__", None) or getattr(view_class, "__access__", None)
    else:
        found = getattr(view, "__access__", None)
    return found


def current_actor() -> Actor:
    """Return who calls; GUEST when nobody has proven who they are."""
    if "actor" not in g:
        resolvers: list[Resolver] = current_app.extensions["actor_resolvers"]
        found = (resolve(request) for resolve in resolvers)
        g.actor = next((actor for actor in found if actor is not None), GUEST)
    current: Actor = g.actor
    return current


def forget_actor() -> None:
    """Let the next question find out anew who calls: the session has changed within this request."""
    g.pop("actor", None)


def current_coop() -> UUID:
    """Return the co-op that the caller works for. Raises NotYours when they work for none."""
    coop_id = current_actor().coop_id
    if coop_id is None:
        raise NotYours("This needs a co-op, and your account works for none.")
    return coop_id


def permits(declared: Access, actor: Actor) -> bool:
    """Whether one of the declared words opens the view for the actor."""
    words = declared.words
    if words & {"public", "webhook"}:
        return True
    held = set(actor.roles) | ({"buyer"} if actor.account_id else set()) | ({"staff"} if actor.is_staff else set())
    return bool(words & held)


def may(endpoint: str, method: str = "POST") -> bool:
    """Whether the caller has the role for a view: a page shows no form that would only be refused."""
    declared = access_of(current_app._get_current_object(), endpoint, method)  # type: ignore[attr-defined]
    return declared is not None and permits(declared, current_actor())


def _enforce() -> None:
    g.scope_token = tenancy.enter("")
    if request.method == "OPTIONS" or request.endpoint == "static":
        return
    # Always, and before the view opens its unit of work; without a session or key this asks the database nothing.
    with tenancy.scoped(tenancy.EVERYTHING):
        actor = current_actor()
    if request.endpoint is None:
        return
    declared = access_of(current_app._get_current_object(), request.endpoint, request.method)  # type: ignore[attr-defined]
    if declared is None:
        raise RuntimeError(f"{request.endpoint} does not declare who may call it")
    if not permits(declared, actor):
        if actor.account_id is None:
            raise SignInNeeded("Please sign in first; then you come back to this page.")
        raise NotYours("Your account does not have the role for this. Ask your co-op or sign in with another account.")
    if actor.scopes is not None and "public" not in declared.words and declared.scope not in actor.scopes:
        raise ScopeMissing(
            say("This key lacks the scope %(value)s. Make a key that carries it.", value=declared.scope or "for this call")
        )
    if declared.largest is not None:
        request.max_content_length = declared.largest
    tenancy.enter(tenancy.EVERYTHING if declared.sees_everything(actor) else tenancy.scope_of(actor.coop_id))


def _forget(_: BaseException | None) -> None:
    token = g.pop("scope_token", None)
    if token is not None:
        tenancy.leave(token)


def sign_in_page(error: SignInNeeded) -> Response | None:
    """Send a person to the sign-in page; None for programs, who get a problem."""
    if request.path.startswith("/api/") or request.method != "GET" or "security.login" not in current_app.view_functions:
        return None
    return redirect(url_for("security.login", next=request.full_path.rstrip("?")), 303)


def init_app(app: Flask) -> None:
    """Enforce every view's declaration before it runs."""
    app.extensions["actor_resolvers"] = []
    app.jinja_env.globals["may"] = may
    app.before_request(_enforce)
    app.teardown_request(_forget)
