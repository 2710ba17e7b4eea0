"""Countries as people choose one of them: by name, in their language."""

from functools import lru_cache

from market.http.i18n import language
from market.kernel.languages import country_codes, locale


@lru_cache(maxsize=32)
def _named(chosen: str) -> tuple[tuple[str, str], ...]:
    territories = locale(chosen).territories
    return tuple(
        sorted(
            ((code, name) for code, name in territories.items() if code in country_codes()),
            key=lambda pair: pair[1],
        )
    )


def countries() -> tuple[tuple[str, str], ...]:
    """Return the codes of ISO 3166-1 with their names in the reader's language, by name."""
    return _named(language())
