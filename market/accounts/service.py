"""Commands on people, roles and keys. Passwords are the door's affair (`market.http.login`)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from market.accounts import events, rules
from market.accounts.errors import (
    AccountMissing,
    ApiKeyMissing,
    ApiKeyRefused,
    BadApiKeyRequest,
    EmailTaken,
    RoleNotYoursToGive,
)
from market.accounts.models import Account, AccountRole, ApiKey
from market.kernel import audit, locks, outbox
from market.kernel.actor import Actor
from market.kernel.ids import new_id, new_token

_USE_IS_NOTED_EVERY = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class IssuedKey:
    """A new key with its text, which is shown once and kept nowhere."""

    id: UUID
    text: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class KeyHolder:
    """For whom a presented key acts."""

    key_id: UUID
    account_id: UUID
    coop_id: UUID | None
    scopes: frozenset[str]


def create_account(session: Session, *, email: str, name: str, locale: str, now: datetime) -> UUID:
    """Record a person and return the id. Raises BadEmail, BadProfile, EmailTaken."""
    statement = (
        insert(Account)
        .values(
            id=new_id(),
            email=rules.checked_email(email),
            name=rules.checked_name(name),
            locale=rules.checked_locale(locale),
            created_at=now,
        )
        .on_conflict_do_nothing(index_elements=["email"])
        .returning(Account.id)
    )
    account_id = session.execute(statement).scalar_one_or_none()
    if account_id is None:
        raise EmailTaken(
            "There is an account with this e-mail address already. Sign in, or ask for a new password.", pointer="/email"
        )
    return account_id


def ask_for_letter(session: Session, *, account_id: UUID, kind: str, link: str = "") -> None:
    """Announce a letter to a person about their account; `link` is what they are to follow, if anything."""
    payload = {"letter_id": new_id(), "account_id": account_id, "kind": kind, "link": link}
    outbox.announce(session, events.LETTER, payload, key=f"account:{account_id}")


def update_profile(session: Session, *, actor: Actor, name: str, locale: str, now: datetime) -> None:
    """Change the actor's own name and the language of their letters. Raises BadProfile, AccountMissing."""
    account = _own_account(session, actor)
    old = {"name": account.name, "locale": account.locale}
    account.name, account.locale = rules.checked_name(name), rules.checked_locale(locale)
    new = {"name": account.name, "locale": account.locale}
    # The trail outlives the person's wish to be forgotten, so it holds which fields changed and not what a name was.
    changed = {field: "changed" for field in new if old[field] != new[field]}
    if changed:
        audit.record(
            session, actor=actor, action="accounts.profile", subject_kind="account", subject_id=account.id, now=now, new=changed
        )


def grant_role(
    session: Session, *, actor: Actor, account_id: UUID, role: str, coop_id: UUID | None = None, now: datetime
) -> bool:
    """Give a role; False when it was held already. Raises RoleNotYoursToGive, BadRole, AccountMissing."""
    _administrator(actor)
    rules.check_role(role, coop_id)
    if session.get(Account, account_id) is None:
        raise AccountMissing("There is no such account.")
    statement = (
        insert(AccountRole)
        .values(id=new_id(), account_id=account_id, role=role, coop_id=coop_id, granted_by=actor.label, granted_at=now)
        .on_conflict_do_nothing()
        .returning(AccountRole.id)
    )
    if session.execute(statement).scalar_one_or_none() is None:
        return False
    audit.record(
        session, actor=actor, action="accounts.grant_role", subject_kind="account", subject_id=account_id, now=now,
        coop_id=coop_id, new={"role": role},
    )  # fmt: skip
    return True


def revoke_role(session: Session, *, actor: Actor, grant_id: UUID, now: datetime) -> None:
    """Take a role away. Raises RoleNotYoursToGive, AccountMissing."""
    _administrator(actor)
    grant = session.get(AccountRole, grant_id)
    if grant is None:
        raise AccountMissing("Nobody holds this role any more.")
    session.delete(grant)
    audit.record(
        session, actor=actor, action="accounts.revoke_role", subject_kind="account", subject_id=grant.account_id, now=now,
        coop_id=grant.coop_id, old={"role": grant.role},
    )  # fmt: skip


def issue_api_key(
    session: Session, *, actor: Actor, label: str, scopes: Sequence[str], expires_at: datetime, now: datetime
) -> IssuedKey:
    """Make a key that acts for the actor, within the co-op they work for now, and only inside `scopes`.

    A key cannot make a stronger key: called with one, the new scopes must be among its own.
    Raises BadApiKeyRequest, AccountMissing.
    """
    account = _own_account(session, actor)
    rules.check_key_request(label, scopes, expires_at, now)
    if actor.scopes is not None and not set(scopes) <= actor.scopes:
        raise BadApiKeyRequest("A key cannot give more than it has. Sign in to make a stronger one.", pointer="/scopes")
    prefix, secret = new_token(9), new_token(32)
    key = ApiKey(
        id=new_id(),
        account_id=account.id,
        coop_id=actor.coop_id,
        label=label.strip(),
        prefix=prefix,
        secret_hash=rules.secret_hash(secret),
        scopes=sorted(set(scopes)),
        created_at=now,
        expires_at=expires_at,
    )
    session.add(key)
    audit.record(
        session, actor=actor, action="accounts.issue_api_key", subject_kind="api_key", subject_id=key.id, now=now,
        new={"scopes": key.scopes, "expires_at": expires_at.isoformat()},
    )  # fmt: skip
    return IssuedKey(key.id, rules.key_text(prefix, secret), expires_at)


def revoke_api_key(session: Session, *, actor: Actor, key_id: UUID, now: datetime) -> None:
    """End a key at once: one's own, or as an approver one of the co-op. Ending it twice changes nothing.

    Raises ApiKeyMissing.
    """
    allowed = ApiKey.account_id == actor.account_id
    if "approver" in actor.roles:
        allowed = or_(allowed, ApiKey.coop_id == actor.coop_id)
    if session.scalars(select(ApiKey.id).where(ApiKey.id == key_id, allowed)).one_or_none() is None:
        raise ApiKeyMissing("There is no such key.")
    key = locks.lock_one(session, ApiKey, key_id)
    if key.revoked_at is None:
        key.revoked_at = now
        audit.record(session, actor=actor, action="accounts.revoke_api_key", subject_kind="api_key", subject_id=key.id, now=now)


def authenticate_api_key(session: Session, *, text: str, now: datetime) -> KeyHolder:
    """Return for whom a presented key acts, noting its use at most once an hour. Raises ApiKeyRefused."""
    parts = rules.split_key(text)
    key = session.scalars(select(ApiKey).where(ApiKey.prefix == parts[0])).one_or_none() if parts else None
    if key is None or parts is None or not rules.same_secret(parts[1], key.secret_hash):
        raise ApiKeyRefused("This API key is not known here. Look whether it was copied whole.")
    if key.revoked_at is not None or now >= key.expires_at:
        raise ApiKeyRefused("This API key was revoked or has ended. Make a new one on your account page.")
    if key.last_used_at is None or key.last_used_at < now - _USE_IS_NOTED_EVERY:
        session.execute(update(ApiKey).where(ApiKey.id == key.id).values(last_used_at=now))
    return KeyHolder(key.id, key.account_id, key.coop_id, frozenset(key.scopes))


def _own_account(session: Session, actor: Actor) -> Account:
    if actor.account_id is None:
        raise AccountMissing("There is no such account.")
    return locks.lock_one(session, Account, actor.account_id)


def _administrator(actor: Actor) -> None:
    if not actor.roles & {"admin", "system"}:
        raise RoleNotYoursToGive("Only an administrator of the site grants and takes roles.")
