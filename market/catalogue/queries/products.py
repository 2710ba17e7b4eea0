"""Products."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from market.catalogue.errors import ProductMissing
from market.catalogue.models import Product


@dataclass(frozen=True, slots=True)
class ProductView:
    """A product to choose."""

    id: UUID
    category: str
    kind: str
    variety: str
    form: str
    characteristic: str
    quality: str
    name: str


def product(session: Session, product_id: UUID) -> ProductView:
    """Return one product. Raises ProductMissing."""
    row = session.get(Product, product_id)
    if row is None:
        raise ProductMissing("There is no such product. Choose one from the list or add it.", pointer="/product_id")
    return _product(row)


def products(session: Session) -> Sequence[ProductView]:
    """Return all products by category and name."""
    rows = session.scalars(select(Product).order_by(Product.category, Product.name, Product.id))
    return [_product(row) for row in rows]


def _product(row: Product) -> ProductView:
    return ProductView(row.id, row.category, row.kind, row.variety, row.form, row.characteristic, row.quality, row.name)
