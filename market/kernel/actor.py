"""Who acts. Made once at the door from whatever proved the identity; nothing below asks again."""

from dataclasses import dataclass, field
from uuid import UUID

ROLES = frozenset({"buyer", "producer", "preparer", "approver", "admin", "system"})
STAFF = frozenset({"preparer", "approver"})


@dataclass(frozen=True, slots=True)
class Actor:
    """A person, a machine with a key, or nobody (`account_id` None and no roles).

    `coop_id` is the co-op the actor works for in this request; `producer_id` the producer they are, or for whom they do the
    work: then `on_behalf_of` names that producer, too, and every audit entry keeps it.
    `scopes` is None for people and the granted scopes for API keys.
    """

    account_id: UUID | None = None
    coop_id: UUID | None = None
    producer_id: UUID | None = None
    roles: frozenset[str] = field(default_factory=frozenset)
    name: str = ""
    scopes: frozenset[str] | None = None
    on_behalf_of: UUID | None = None
    on_behalf_name: str = ""

    @property
    def label(self) -> str:
        """How ledger and audit name the actor: an id, never a person's name (law 9)."""
        if "system" in self.roles:
            return f"system:{self.name}" if self.name else "system"
        return f"account:{self.account_id}" if self.account_id else "guest"

    @property
    def is_staff(self) -> bool:
        """Whether the actor prepares or approves for a co-op."""
        return bool(self.roles & STAFF)


GUEST = Actor()
SYSTEM = Actor(roles=frozenset({"system"}), name="")


def system(name: str) -> Actor:
    """Return the actor for a task or command called `name`."""
    return Actor(roles=frozenset({"system"}), name=name)
