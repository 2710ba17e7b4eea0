"""The message catalogues: collect what the code says, bring the catalogues up to date, and tell what they lack.

`python -m market.cli.messages update` rewrites `market/translations/xx.po`; `check` fails when one of them is stale, lacks a
translation or breaks a placeholder; `missing xx` prints what is still to be translated.
"""

import ast
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from functools import cache
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po, write_po
from jinja2.ext import babel_extract

from market.kernel.languages import FOLDER, LANGUAGES

ROOT = Path(__file__).parents[2]
TEMPLATES = "market/web/templates"
APART = {"style.html"}
"""Templates for developers."""
CARD_PAGE = {"market/simulators/stripe/pages.py", "market/simulators/stripe/cards.py"}
"""A buyer of the demo reads it between two pages of ours."""
LETTERS = "market/notifications/letters.toml"
MARKERS = {"_": 1, "_l": 1, "gettext": 1, "lazy_gettext": 1, "N_": 1, "say": 1, "ngettext": 2, "nsay": 2}
"""Names of functions that mark texts, with how many leading arguments are texts: singular, and plural where there is one."""

Found = tuple[str, str | tuple[str, str]]
_FACTS = re.compile(r"%\((\w+)\)[sd]|(%%)|<(/?\w+)")
_FOLDED = {"\u2068": "", "\u2069": ""}


@cache
def sources(root: Path = ROOT) -> dict[str, ast.Module]:
    """Return the Python files whose words people read: path below the root -> syntax tree."""
    files = [*root.glob("market/**/*.py"), *root.glob("workers/**/*.py")]
    apart = ("market/cli", "market/demo", "market/embedded", "market/simulators")
    named = {str(path.relative_to(root)): path for path in sorted(files)}
    return {name: ast.parse(path.read_text()) for name, path in named.items() if name in CARD_PAGE or not name.startswith(apart)}


def refusals(trees: Iterable[ast.Module]) -> set[str]:
    """Return the names of the classes that are refusals: whatever rests on DomainError."""
    bases = {
        node.name: {
            base.id if isinstance(base, ast.Name) else base.attr
            for base in node.bases
            if isinstance(base, ast.Name | ast.Attribute)
        }
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    }
    found = {"DomainError", "Invalid", "Conflict", "Missing", "Forbidden", "Unavailable"}
    while more := {name for name, own in bases.items() if own & found} - found:
        found |= more
    return found


def called(node: ast.Call) -> str:
    """Return the name by which a call calls."""
    return node.func.id if isinstance(node.func, ast.Name) else node.func.attr if isinstance(node.func, ast.Attribute) else ""


def text_of(node: ast.AST) -> str | None:
    """Return the constant text that an expression is; None for everything else."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _in_python() -> Iterator[Found]:
    trees = sources()
    marking = MARKERS | dict.fromkeys(refusals(trees.values()), 1)
    for name, tree in trees.items():
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call) or (count := marking.get(called(node))) is None:
                continue
            yield from ((name, found) for found in _message([text_of(argument) for argument in node.args[:count]], count))


def _message(texts: list[str | None], count: int) -> Iterator[str | tuple[str, str]]:
    match [text for text in texts if text][:count]:
        case [text] if count == 1:
            yield text
        case [singular, plural]:
            yield singular, plural


def _in_templates() -> Iterator[Found]:
    for path in sorted(path for path in (ROOT / TEMPLATES).rglob("*.html") if path.name not in APART):
        with path.open("rb") as file:
            for _line, function, said, _comments in babel_extract(file, ("_", "gettext", "ngettext"), (), {}):
                texts = [said] if isinstance(said, str) else [text for text in said or () if isinstance(text, str)]
                found = _message(list(texts), MARKERS[function or "_"])
                yield from ((str(path.relative_to(ROOT)), message) for message in found)


def _in_letters() -> Iterator[Found]:
    for letter in tomllib.loads((ROOT / LETTERS).read_text()).values():
        for value in letter.values():
            for text in value if isinstance(value, list) else [value]:
                yield LETTERS, text["text"] if isinstance(text, dict) else text


def collect() -> Catalog:
    """Return every message of the code, with the files in which it stands."""
    catalog = Catalog(project="Fair Market", fuzzy=False)
    for name, message in (*_in_templates(), *_in_python(), *_in_letters()):
        catalog.add(message, locations=[(name, 0)])
    return catalog


def read(language: str) -> Catalog:
    """Return the catalogue of a language as it is stored."""
    return read_po(BytesIO((FOLDER / f"{language}.po").read_bytes()), locale=language)


def written(language: str, wanted: Catalog) -> bytes:
    """Return the file of a language: the messages wanted, with the translations that it has."""
    path = FOLDER / f"{language}.po"
    known = read(language) if path.exists() else Catalog(locale=language)
    made = Catalog(
        locale=language, project="Fair Market", fuzzy=False, header_comment=f"# Fair Market in {language}. See docs/languages.md."
    )
    made.mime_headers  # noqa: B018 - the plural rule comes with the locale
    for message in sorted((message for message in wanted if message.id), key=lambda one: (one.locations[0][0], str(one.id))):
        old = known.get(message.id)
        made.add(message.id, old.string if old else None, locations=sorted(set(message.locations)))
    buffer = BytesIO()
    write_po(buffer, made, width=120, include_lineno=False, omit_header=False)
    stable = re.sub(
        rb'"(POT-Creation-Date|PO-Revision-Date|Last-Translator|Generated-By|Report-Msgid-Bugs-To): .*\n', b"", buffer.getvalue()
    )
    return stable


def faults(language: str, wanted: Catalog) -> list[str]:
    """Return what is wrong with a catalogue: stale, not translated, a placeholder or tag lost or invented."""
    stored = read(language)
    said = []
    if (FOLDER / f"{language}.po").read_bytes() != written(language, wanted):
        said.append(f"{language}: the catalogue is not up to date: run `make messages`")
    return said + [
        f"{language}: {fault}" for message in stored if message.id for fault in _faults_of(message, stored.num_plurals)
    ]


def _faults_of(message: Message, plurals: int) -> list[str]:
    source = message.id if isinstance(message.id, str) else message.id[1]
    forms = _forms(message)
    if not all(forms) or (not isinstance(message.id, str) and len(forms) != plurals):
        return [f"not translated: {source!r}"]
    wanted = placeholders(source)
    # A form for one or two of something may leave the number out: the word says it.
    free = {"num"} if not isinstance(message.id, str) else set()
    return [f"other placeholders: {source!r} -> {form!r}" for form in forms if placeholders(form) - free != wanted - free]


def _forms(message: Message) -> list[str]:
    return [message.string] if isinstance(message.string, str) else list(message.string or ("",))


def placeholders(text: str) -> set[str]:
    """Return what a translation must keep: facts, doubled per cent signs, tags."""
    return {next(part for part in found if part) for found in _FACTS.findall(text)}


def missing(language: str) -> list[Message]:
    """Return the messages of a catalogue that have no translation yet."""
    stored = read(language)
    return [message for message in stored if message.id and not all(_forms(message))]


def main(arguments: list[str]) -> int:
    """Update, check, or list what is missing."""
    wanted = collect()
    match arguments:
        case ["update"]:
            for language in LANGUAGES[1:]:
                (FOLDER / f"{language}.po").write_bytes(written(language, wanted))
                print(f"{language}: {len(missing(language))} of {len(wanted)} messages are not translated")
            return 0
        case ["check"]:
            found = [fault for language in LANGUAGES[1:] for fault in faults(language, wanted)]
            print(
                "\n".join(found[:40] + ([f"... and {len(found) - 40} more"] if len(found) > 40 else []))
                or "The catalogues are complete."
            )
            return 1 if found else 0
        case ["missing", language] if language in LANGUAGES[1:]:
            for message in missing(language):
                print(message.id if isinstance(message.id, str) else " | ".join(message.id))
            return 0
    print(__doc__)
    return 2


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
