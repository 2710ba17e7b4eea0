"""What the co-ops of the demo sell: the kinds of product, in the words of the price table, and the shape of an offer."""

from collections.abc import Mapping
from dataclasses import dataclass, field

COFFEE = {"category": "coffee", "kind": "coffee", "variety": "arabica", "form": "washed green", "quality": "conventional"}
ORGANIC = COFFEE | {"quality": "organic", "name": "Arabica, washed, organic"}
COCOA = {"category": "cocoa", "kind": "cocoa", "form": "beans", "quality": "conventional", "name": "Cocoa beans"}
HONEY = {"category": "honey", "kind": "honey", "form": "raw", "quality": "conventional", "name": "Honey, raw"}
SUGAR = {"category": "sugar", "kind": "sugar", "form": "panela", "quality": "conventional", "name": "Panela"}
BANANAS = {"category": "fruit", "kind": "bananas", "form": "dried", "quality": "conventional", "name": "Bananas, dried"}
MANGO = {"category": "fruit", "kind": "mango", "form": "dried", "quality": "conventional", "name": "Mango, dried"}
COTTON = {"category": "fibre", "kind": "cotton", "form": "lint", "quality": "conventional", "name": "Cotton lint"}
OIL = {"category": "oil", "kind": "olive oil", "form": "extra virgin", "quality": "conventional", "name": "Olive oil"}
CLOTH = {"category": "craft", "kind": "shawl", "form": "handwoven", "quality": "conventional", "name": "Handwoven shawl"}
BASKET = {"category": "craft", "kind": "basket", "form": "palm", "quality": "conventional", "name": "Palm basket"}


@dataclass(frozen=True)
class Good:
    """Something a producer offers: what it is, in which unit, at which price of their own."""

    title: str
    product: dict[str, str]
    unit: str
    price: str
    lot: str  # harvest or craft
    uom: str
    quantity: str
    claims: tuple[str, ...] = ()
    incoterm: str = ""
    step: str = "1"
    story: str = ""
    told: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """Title and story in more languages, as its producer would write them."""
