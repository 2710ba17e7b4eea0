"""Flask-Security put to work: its settings, its store on our tables, and what else opens a door."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from flask import Flask, g
from flask import session as cookie
from flask.sessions import SecureCookieSessionInterface
from flask_login import user_logged_in
from flask_security import RoleMixin, Security, SQLAlchemyUserDatastore, login_user, logout_user
from flask_security.recoverable import generate_reset_password_token
from flask_security.registerable import register_existing, register_user
from itsdangerous import URLSafeTimedSerializer
from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict
from wtforms import Form

from market.accounts import queries as accounts
from market.accounts import service as accounts_service
from market.accounts.rules import checked_email
from market.http import auth, clock
from market.http.db import db, unit_of_work
from market.http.i18n import Catalogues
from market.http.login import actors, letters
from market.http.login.forms import ConfirmAgainForm, ForgotForm, SignInForm, SignUpForm
from market.http.login.models import User
from market.http.login.said import SAID
from market.kernel.actor import Actor
from market.kernel.errors import DomainError, Invalid
from market.kernel.ids import new_id, new_token
from market.kernel.words import N_
from market.orders import service as orders
from market.producers import queries as producers
from market.producers.errors import CoopMissing, ProducerMissing

PASSWORD_LENGTH = 10
_OF_SESSION = select(User).where(User.fs_uniquifier == bindparam("fs_uniquifier"))
_SIGNED_IN = auth.Access(frozenset({"buyer"}))
_SETTINGS: dict[str, Any] = {
    "CONFIRMABLE": True,
    "REGISTERABLE": True,
    "RECOVERABLE": True,
    "CHANGEABLE": True,
    # Whether an address is registered is nobody's business: sign-up and reset answer the same either way.
    "RETURN_GENERIC_RESPONSES": True,
    "PASSWORD_LENGTH_MIN": PASSWORD_LENGTH,
    "PASSWORD_CONFIRM_REQUIRED": False,
    # 28 ms instead of 157 ms on small machines, still what OWASP asks for.
    "PASSWORD_HASH_PASSLIB_OPTIONS": {"argon2__time_cost": 2, "argon2__memory_cost": 19456, "argon2__parallelism": 1},
    "PASSWORD_SCHEMES": ["argon2"],
    # Only of random salts and inside signed links: a slow hash would cost 0.3 s a letter and protect nothing.
    "HASHING_SCHEMES": ["hex_sha256"],
    "DEPRECATED_HASHING_SCHEMES": [],
    "EMAIL_PLAINTEXT": False,
    "EMAIL_HTML": False,
    "EMAIL_VALIDATOR_ARGS": {"test_environment": True},
    "USER_IDENTITY_ATTRIBUTES": [{"email": {"mapper": lambda text: checked_email(text), "case_insensitive": False}}],
    "API_ENABLED_METHODS": ["session"],
    "JOIN_USER_ROLES": False,
    "LOGIN_URL": "/sign-in",
    "LOGOUT_URL": "/sign-out",
    "REGISTER_URL": "/sign-up",
    "RESET_URL": "/reset",
    "CHANGE_URL": "/account/password",
    "CONFIRM_URL": "/confirm",
    "VERIFY_URL": "/account/verify",
    "POST_CHANGE_VIEW": "/account",
    "POST_REGISTER_VIEW": "/sign-in",
    "POST_LOGIN_VIEW": "/account/begin",
    "RESET_PASSWORD_WITHIN": timedelta(days=1),
    "CONFIRM_EMAIL_WITHIN": timedelta(days=5),
    "STATIC_FOLDER": None,
    "CACHE_CONTROL": None,  # ours, on every answer
}


class BadSignUp(Invalid):
    """An account cannot be made with this."""

    code = "login.bad_sign_up"


class WrongCredentials(DomainError):
    """Nobody is known by this pair of address and password, or the address is not confirmed."""

    kind = "anonymous"
    code = "login.wrong_credentials"


class Store(SQLAlchemyUserDatastore):  # type: ignore[misc]
    """The library's store; a new user is a new account too, in one transaction."""

    def find_user(self, case_insensitive: bool = False, **asked: Any) -> Any:
        """Return the user with this value of one attribute; that of sessions, which each page asks, by a statement made once."""
        if "fs_uniquifier" in asked:
            return self.db.session.scalar(_OF_SESSION, asked)
        return super().find_user(case_insensitive=case_insensitive, **asked)

    def create_user(self, **values: Any) -> User:
        """Make account and credentials. Raises what `accounts.service.create_account` raises."""
        name, locale = values.pop("name", ""), values.pop("locale", "en")
        values.pop("roles", None)
        values["email"] = checked_email(values["email"])
        values["account_id"] = accounts_service.create_account(
            self.db.session(), email=values["email"], name=name or values["email"], locale=locale, now=clock.now()
        )
        user = User(**{"active": True, "fs_uniquifier": new_token()} | values)
        self.put(user)
        return user


def open_account(session: Session, *, email: str, name: str, locale: str, now: datetime) -> UUID:
    """Return the account with this address; if there is none, make one and write to its owner how to set a password.

    The link proves the address, so the account counts as confirmed; without the link there is no password to guess.
    """
    found = accounts.person_by_email(session, checked_email(email))
    if found is not None:
        return found.id
    account_id = accounts_service.create_account(session, email=email, name=name, locale=locale, now=now)
    user = User(
        account_id=account_id, email=checked_email(email), password=None, active=True, fs_uniquifier=new_token(), confirmed_at=now
    )
    session.add(user)
    session.flush()  # the link names the stored credentials
    link = letters.own(f"{_SETTINGS['RESET_URL']}/{generate_reset_password_token(user)}")
    accounts_service.ask_for_letter(session, account_id=account_id, kind="invited", link=link)
    return account_id


def set_password_hash(session: Session, *, account_id: UUID, password_hash: str) -> None:
    """Set a password from the command line; every session of the account ends."""
    user = session.scalars(select(User).where(User.account_id == account_id)).one()
    user.password, user.fs_uniquifier = password_hash, new_token()


def sign_up(*, email: str, name: str, password: str) -> None:
    """Make an account and announce its letter; when the address is taken, only tell its owner. Raises BadSignUp."""
    form = SignUpForm(MultiDict({"email": email, "name": name, "password": password}), meta={"csrf": False})
    if form.validate():
        register_user(form)
    elif not register_existing(form):
        raise BadSignUp(_first_error(form))


def sign_in(*, email: str, password: str) -> None:
    """Start a session for whoever proves to be the person. Raises WrongCredentials; 429 after too many tries."""
    form = SignInForm(MultiDict({"email": email, "password": password}), meta={"csrf": False})
    if not form.validate():
        if form.requires_confirmation:
            raise WrongCredentials("Follow the link in the letter that confirms your address first; then sign in.")
        raise WrongCredentials("The e-mail address or the password is wrong.")
    assert form.user is not None
    login_user(form.user, authn_via=["password"])
    auth.forget_actor()


def sign_out() -> None:
    """End this session."""
    logout_user()
    cookie.pop(actors.STANDS_IN_FOR, None)
    auth.forget_actor()


def sign_out_everywhere(session: Session, *, actor: Actor) -> None:
    """End every session of a person, this one included: they all carry the old `fs_uniquifier`."""
    user = session.scalars(select(User).where(User.account_id == actor.account_id)).one()
    user.fs_uniquifier = new_token()


def coops_of(session: Session, *, actor: Actor) -> list[producers.CoopView]:
    """Return the co-ops that a person has to do with, the first of which they work for unless they chose another."""
    assert actor.account_id is not None
    ids = actors.coop_ids(session, actor.account_id)
    known = {coop.id: coop for coop in producers.coops(session, ids=ids)}
    return [known[coop_id] for coop_id in ids]


def choose_coop(session: Session, *, actor: Actor, coop_id: UUID) -> None:
    """Work for another of one's co-ops from here on. Raises CoopMissing for any other."""
    assert actor.account_id is not None
    if coop_id not in actors.coop_ids(session, actor.account_id):
        raise CoopMissing("You have nothing to do with this co-op.")
    cookie[actors.CHOSEN_COOP] = str(coop_id)
    auth.forget_actor()


def stand_in(session: Session, *, actor: Actor, producer_id: UUID) -> None:
    """Do the work of a member from here on, until `stand_down`. Raises ProducerMissing for nobody of one's co-op."""
    if actors.standing_in(session, actor, producer_id) is None:
        raise ProducerMissing("There is no such member in your co-op now.")
    cookie[actors.STANDS_IN_FOR] = str(producer_id)
    auth.forget_actor()


def stand_down() -> None:
    """Be oneself again."""
    cookie.pop(actors.STANDS_IN_FOR, None)
    auth.forget_actor()


def _first_error(form: Form) -> str:
    return next((str(text) for texts in form.errors.values() for text in texts), N_("Something in the form is not right."))


class Cookies(SecureCookieSessionInterface):
    """The library's signed cookie, with the signer made once instead of at each request, cookie or not."""

    _signer: URLSafeTimedSerializer | None = None

    def get_signing_serializer(self, app: Flask) -> URLSafeTimedSerializer | None:
        """Return the signer of the app's secret."""
        if self._signer is None:
            self._signer = super().get_signing_serializer(app)
        return self._signer


def init_app(app: Flask) -> None:
    """Open the doors: sessions and API keys. The library's pages are public except those that change a password."""
    settings = app.extensions["settings"]
    app.session_interface = Cookies()
    app.config.update({f"SECURITY_{name}": value for name, value in _SETTINGS.items()})
    app.config.update({f"SECURITY_MSG_{name}": words for name, words in SAID.items()})
    app.config.update(
        SECURITY_PASSWORD_SALT=settings.password_salt,
        SECURITY_DATETIME_FACTORY=clock.now,
        PERMANENT_SESSION_LIFETIME=timedelta(days=14),
        # Sent with every answer, it would put back what another answer changed meanwhile: a message, a basket, a language.
        SESSION_REFRESH_EACH_REQUEST=False,
    )
    auth.OF_LIBRARIES["security.change_password"] = _SIGNED_IN
    auth.OF_LIBRARIES["security.verify"] = _SIGNED_IN
    auth.OF_LIBRARIES["security"] = auth.PUBLIC
    security = Security(
        app,
        Store(db, User, RoleMixin),
        mail_util_cls=letters.OutboxMail,
        login_form=SignInForm,
        register_form=SignUpForm,
        forgot_password_form=ForgotForm,
        send_confirmation_form=ConfirmAgainForm,
    )
    security.i18n_domain = Catalogues()
    # What a view permits is `@access`, asked of our own actors; the library would look for a person on every request before.
    app.before_request_funcs[None].remove(security.principal._on_before_request)
    user_logged_in.connect(_stay, app)
    app.extensions["actor_resolvers"] += [actors.by_key, actors.by_session]


def _stay(*_: Any, **__: Any) -> None:
    """Keep the session for days, and let nothing of it be known to whoever may have planted it before the sign-in.

    The token of the forms is made anew; the basket comes along under an id that only this session knows.
    """
    cookie.pop("csrf_token", None)
    g.pop("csrf_token", None)
    basket = cookie.pop("basket", None)
    if basket is not None:
        cookie["basket"] = str(new_id())
        with unit_of_work() as session:
            orders.move_basket(session, basket_id=UUID(basket), to=UUID(cookie["basket"]))
    cookie.permanent = True
