"""What a check found: where, under which rule, in words a person can act on.

Classes of rules (`provenance.md` 3.3): `S` the shape of the standard's schema, `E` a rule of the
standard that no schema can say, `H` a house rule, `W` a warning that never refuses.
"""

from dataclasses import dataclass
from typing import Any, TypeAlias

# A path is a chain of (parent, key), so that a check that finds nothing builds no text.
Path: TypeAlias = tuple[Any, str | int] | None
ROOT: Path = None


def steps(path: Path) -> tuple[str | int, ...]:
    """Return the keys from the root down to `path`."""
    found: list[str | int] = []
    while path is not None:
        path, key = path
        found.append(key)
    return tuple(reversed(found))


def pointer(keys: tuple[str | int, ...]) -> str:
    """Write keys as a JSON pointer (RFC 6901); the whole document is `/`, as the samples say it."""
    return "/" + "/".join(str(key).replace("~", "~0").replace("/", "~1") for key in keys)


@dataclass(frozen=True, slots=True)
class Fault:
    """One finding in a document."""

    pointer: str
    rule: str
    detail: str
    code: str = ""

    @property
    def refuses(self) -> bool:
        """Tell whether the finding stands in the way of storing (warnings do not)."""
        return not self.rule.startswith("W")


def fault(path: Path, rule: str, detail: str, code: str = "") -> Fault:
    """Make a finding at `path`; `code` is the stable name of a refusal about lots."""
    return Fault(pointer(steps(path)), rule, detail, code)
