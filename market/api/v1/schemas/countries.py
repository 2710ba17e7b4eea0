"""A country in a call: its code of ISO 3166-1, two capitals, and one that is a country."""

from marshmallow import ValidationError, validate

from market.kernel.languages import country_codes

_WORDS = "A country is named by its two-letter code, such as ET."


class Country(validate.Regexp):
    """Lets through the codes of ISO 3166-1; `optional` lets an empty text through, too."""

    def __init__(self, *, optional: bool = False) -> None:
        super().__init__(r"\A([A-Z]{2})?\Z" if optional else r"\A[A-Z]{2}\Z", error=_WORDS)

    def __call__(self, value: str) -> str:  # type: ignore[override]
        """Return the code. Raises ValidationError for what is none."""
        super().__call__(value)
        if value and value not in country_codes():
            raise ValidationError(_WORDS)
        return value
