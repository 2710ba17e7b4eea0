"""The words of price tables and the codes they mean: without them a new row would not replace the old one (2, E13)."""

import re
from collections.abc import Mapping

from market.kernel.money import EXPONENTS

SEPARATOR = "/"
"""A code may carry two fields: `metal/ecological` is form and characteristic, `coffee/arabica` product and variety."""

_COUNTRIES = (
    "BO Bolivia; BR Brazil; BF Burkina Faso; BI Burundi; CM Cameroon; CO Colombia; CR Costa Rica; CI Cote d'Ivoire; "
    "CI Côte d'Ivoire; "
    "CI Ivory Coast; CD Congo DR; CU Cuba; DO Dominican Republic; EC Ecuador; SV El Salvador; ET Ethiopia; FJ Fiji; GH Ghana; "
    "GT Guatemala; HT Haiti; HN Honduras; IN India; ID Indonesia; KE Kenya; LA Laos; LK Sri Lanka; MG Madagascar; MW Malawi; "
    "ML Mali; MA Morocco; MX Mexico; MZ Mozambique; NP Nepal; NI Nicaragua; PK Pakistan; PS Palestine; PA Panama; PY Paraguay; "
    "PE Peru; PG Papua New Guinea; PH Philippines; RW Rwanda; ST Sao Tome and Principe; SN Senegal; SL Sierra Leone; "
    "ZA South Africa; "
    "TZ Tanzania; TH Thailand; TL Timor-Leste; TG Togo; TN Tunisia; TR Turkey; UG Uganda; VN Vietnam; ZM Zambia; ZW Zimbabwe"
)
_FORMS = {
    "washed green": "washed_green",
    "natural green": "natural_green",
    "natural (unwashed) green": "natural_green",
    "dried parchment": "parchment",
    "parchment": "parchment",
    "FAQ green": "natural_green/FAQ",
    "beans": "beans",
    "beans Living Income Differential (added to price)": "beans/living_income_differential",
    "green beans": "green_beans",
    "liquor": "liquor",
    "butter": "butter",
    "powder": "powder",
    "butter and powder bought together 1:1.12": "butter_and_powder",
    "fresh": "fresh",
    "fresh 22XU": "fresh/22XU",
    "loose leaf tea": "loose_leaf",
    "made tea": "made_tea",
    "grain": "grain",
    "metal": "metal",
    "metal (ecological)": "metal/ecological",
    "cherry": "cherry",
    "all": "",
    "all forms": "",
}
_PRODUCTS = {
    "coffee": "coffee", "cocoa": "cocoa", "cane sugar": "cane_sugar", "bananas": "bananas", "tea": "tea", "quinoa": "quinoa",
    "gold": "gold", "silver": "silver", "platinum": "platinum", "vanilla": "vanilla", "coffee arabica": "coffee/arabica",
    "coffee robusta": "coffee/robusta", "cocoa beans": "cocoa", "herbs and spices without a fixed price": "herbs_and_spices",
    "secondary products and derivatives": "secondary_products", "factory goods (Fair Trade USA)": "factory_goods",
}  # fmt: skip
_PLACES = {
    "worldwide": "world:world",
    "world": "world:world",
    "most countries (special terms CI and GH)": "world:world",
    "Ghana and Cote d'Ivoire": "region:CI-GH",
}
MARKETS: Mapping[tuple[str, str], str] = {
    ("coffee", "arabica"): "ICE C",
    ("coffee", "robusta"): "ICE Robusta",
    ("cocoa", ""): "ICE Cocoa",
    ("cane_sugar", ""): "ICE Sugar 11",
}
"""The market that a scheme's row of these goods is held against, where a table has no column for it.

Without a name the row would say that no market price is needed, and a price below the market would pass for fair.
"""
ABSENT = ("bananas per country", "tea per origin", "honey", "cotton", "flowers", "rice", "nuts", "single spices")
"""What the shipped table lacks and nobody may invent (9.3): the loader prints this list."""


def folded(text: str) -> str:
    """Return a term as aliases are looked up: lower case, single spaces, underscores as spaces."""
    return re.sub(r"[\s_]+", " ", text).strip().lower()


def _shipped() -> dict[tuple[str, str], str]:
    places = {name: f"country:{code}" for code, name in (entry.split(" ", 1) for entry in _COUNTRIES.split("; "))}
    codes = {code: f"country:{code}" for code in {entry.split(" ", 1)[0] for entry in _COUNTRIES.split("; ")}}
    groups = {
        "product": _PRODUCTS,
        "variety": {"arabica": "arabica", "robusta": "robusta"},
        "form": _FORMS,
        "characteristic": {code.split(SEPARATOR)[1]: code.split(SEPARATOR)[1] for code in _FORMS.values() if SEPARATOR in code},
        "place": {**_PLACES, **places, **codes},
    }
    return {(kind, folded(text)): code for kind, words in groups.items() for text, code in words.items()}


SHIPPED: Mapping[tuple[str, str], str] = _shipped()
"""Aliases for the terms of the shipped table, by (kind, folded text)."""


def code_of(text: str) -> str:
    """Return the code of a term nobody named yet: its own words joined by underscores."""
    return re.sub(r"[^a-z0-9]+", "_", text.strip().lower()).strip("_")


def known_currency(code: str) -> bool:
    """Say whether `code` is a currency of ISO 4217."""
    return code in EXPONENTS
