"""Countries as people choose one of them: by name, in their language."""

from functools import lru_cache

from babel import Locale
from flask_babel import get_locale

# Territories of CLDR that are no addresses.
_NONE = frozenset({"EU", "EZ", "QO", "UN", "XA", "XB", "ZZ"})


@lru_cache(maxsize=32)
def _named(locale: str) -> tuple[tuple[str, str], ...]:
    territories = Locale.parse(locale).territories
    return tuple(
        sorted(
            ((code, name) for code, name in territories.items() if len(code) == 2 and code.isalpha() and code not in _NONE),
            key=lambda pair: pair[1],
        )
    )


def countries() -> tuple[tuple[str, str], ...]:
    """Return the codes of ISO 3166-1 with their names in the reader's language, by name."""
    return _named(str(get_locale() or "en"))
