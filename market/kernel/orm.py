"""The declarative base, the column kinds of the business, and the mark of a co-op's own rows."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, DateTime, ForeignKey, MetaData, Numeric, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from market.kernel.ids import new_id

NAMING = {
    "ix": "%(table_name)s_%(column_0_N_name)s_idx",
    "uq": "%(table_name)s_%(column_0_N_name)s_key",
    "ck": "%(table_name)s_%(constraint_name)s_check",
    "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
    "pk": "%(table_name)s_pkey",
}

Id = Annotated[UUID, mapped_column(primary_key=True, default=new_id)]
Instant = Annotated[datetime, mapped_column(DateTime(timezone=True))]
Minor = Annotated[int, mapped_column(BigInteger)]
UnitPrice = Annotated[Decimal, mapped_column(Numeric(18, 6))]
Quantity = Annotated[Decimal, mapped_column(Numeric(18, 6))]
Percent = Annotated[Decimal, mapped_column(Numeric(7, 4))]
Json = Annotated[dict[str, Any], mapped_column(JSONB)]
Day = date


class Base(DeclarativeBase):
    """Every table of the product hangs on this metadata; constraint names follow one convention."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {str: Text, int: BigInteger, datetime: DateTime(timezone=True)}


class CoopOwned:
    """A table whose rows belong to one co-op; the migration puts row-level security on it (kit.enable_rls)."""

    coop_id: Mapped[UUID] = mapped_column(ForeignKey("coop.id"), index=True)


class FourEyes:
    """A row that one person proposes and another decides; afterwards it keeps who decided and when."""

    state: Mapped[str] = mapped_column(server_default=text("'proposed'"))
    proposed_by: Mapped[str]
    proposed_at: Mapped[Instant]
    decided_by: Mapped[str | None]
    decided_at: Mapped[datetime | None]


def four_eyes(*outcomes: str) -> tuple[CheckConstraint, ...]:
    """Return the constraints of a FourEyes table: its states, two different persons, decided exactly when not proposed.

    Where `withdrawn` is among the outcomes, that one is the proposer's own, and nobody else's.
    """
    states = ", ".join(f"'{state}'" for state in ("proposed", *outcomes))
    two = "(decided_by <> proposed_by) = (state <> 'withdrawn')" if "withdrawn" in outcomes else "decided_by <> proposed_by"
    return (
        CheckConstraint(f"state IN ({states})", name="state"),
        CheckConstraint(two, name="four_eyes"),
        CheckConstraint(
            "(state = 'proposed') = (decided_by IS NULL) AND (decided_by IS NULL) = (decided_at IS NULL)", name="decided"
        ),
    )
