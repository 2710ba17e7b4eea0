"""Every text that people read is marked for the catalogues: a walk through templates and syntax trees."""

import ast
import re
from html.parser import HTMLParser

import pytest
from jinja2 import Environment, nodes

from market.cli.messages import APART, MARKERS, ROOT, TEMPLATES, called, refusals, sources

FOLDER = ROOT / TEMPLATES
PAGES = sorted(str(path.relative_to(FOLDER)) for path in FOLDER.rglob("*.html") if path.name not in APART)
READ = {"alt", "title", "placeholder", "aria-label", "label", "aria-description", "aria-valuetext"}
"""Attributes whose value people read or hear."""
CODES = set(
    [
        "kg",
        "lb",
        "fm",
        "IBAN",
        "BIC",
        "CSV",
        "XLSX",
        "QR",
        "EPCIS",
        "GLN",
        "GTIN",
        "JSON",
        "API",
        "URL",
        "RF",
        "SEPA",
        "XML",
        "MB",
        "PDF",
        "DOCTYPE",
        "EUR",
        "Fairtrade",
        "UTC",
        "SHA",
        "Authorization",
        "Bearer",
        "Stripe",
        "PNG",
        "JPEG",
        "WebP",
    ]
)
"""Names that are the same in every language."""
SENTENCE = re.compile(r"[A-Z][a-zà-ÿ’'-]*(?: [\w%()’',.:-]+)+|[A-Z][a-z]{2,}[.!?]?")
ENV = Environment(extensions=["jinja2.ext.i18n"])


class _Texts(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_data(self, data: str) -> None:
        self.found.append(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value for name, value in attrs if name in READ and value]
        if tag == "input" and dict(attrs).get("type") in ("submit", "button", "reset"):
            self.found.append(dict(attrs).get("value") or "")


def _bare(source: str) -> list[str]:
    """Words that stand in the markup itself, expressions taken out."""
    parts = []
    for _line, kind, text in ENV.lex(source):
        if kind == "data":
            parts.append(text)
        elif kind == "variable_end":
            parts.append("0")
    texts = _Texts()
    texts.feed("".join(parts))
    # A macro may make just the attributes of an element.
    read = [re.sub(r'\b[a-z-]+="[^"]*"| required', "", text) for text in texts.found]
    words = [word for text in read for word in re.findall(r"(?<![/_])\b[^\W\d_]{2,}", text)]
    return [word for word in words if word not in CODES]


def _constants(node: nodes.Node, marked: bool = False):
    """Texts inside expressions that no marker takes."""
    if isinstance(node, nodes.Call) and isinstance(node.node, nodes.Name) and node.node.name in MARKERS:
        marked = True
    if isinstance(node, nodes.Const) and isinstance(node.value, str) and not marked:
        yield node.value
    for child in node.iter_child_nodes():
        yield from _constants(child, marked)


@pytest.mark.parametrize("name", PAGES)
def test_a_template_says_nothing_past_the_catalogues(name):
    source = (FOLDER / name).read_text()
    assert not _bare(source), "words in the markup"
    unmarked = [text for text in _constants(ENV.parse(source)) if SENTENCE.fullmatch(text.strip()) and text not in CODES]
    assert not unmarked, "words in expressions"


# What only programmers and operators read.
INTERNAL = {
    "ValueError",
    "TypeError",
    "RuntimeError",
    "AssertionError",
    "KeyError",
    "NetworkInsideUnitOfWork",
    "DataError",
    "getLogger",
}
LOGGING = {"debug", "info", "warning", "error", "exception", "critical", "text", "fromisoformat", "compile"}
IN_ENGLISH = (
    # The API describes itself in English, and so do others whose words we only hand on.
    "market/api/",
    "market/hooks/",
    "market/gateways/",
    # Where in a file of a bank something is wrong, for the bank's support: the page says what by its code.
    "market/statements/rules/",
    # Why a document is no JSON that can be kept, for the program that wrote it.
    "market/provenance/rules/reading.py",
    # What a bank reads about a disputed payment, in English as the card networks ask.
    "market/console/disputes.py",
    # Spellings that files use, to be recognised.
    "market/pricing/rules/terms.py",
)


def _texts(tree: ast.Module, marking: set[str]):
    """Sentences of a module that nothing marks, with their lines; docstrings are not for readers."""
    skipped: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and called(node) in marking | INTERNAL | LOGGING:
            skipped.update(child for argument in [*node.args, *node.keywords] for child in ast.walk(argument))
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            skipped.add(node.value)
        if isinstance(node, ast.Compare | ast.Subscript):
            skipped.update(ast.walk(node))
    for node in ast.walk(tree):
        if node in skipped:
            continue
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value


def _is_sentence(text: str) -> bool:
    words = text.split()
    return (
        len(words) > 1
        and re.match(r"[A-Z“'%][a-z]", text) is not None
        and sum(word.isupper() and len(word) > 1 for word in words) * 2 < len(words)
        and re.search(r"[a-z]{2,} [a-z]{2,}|[A-Z][a-z]+ [a-z]{2,}", text) is not None
    )


def test_python_says_nothing_past_the_catalogues():
    trees = sources()
    marking = set(MARKERS) | refusals(trees.values())
    unmarked = [
        f"{name}:{line}: {text[:90]}"
        for name, tree in trees.items()
        if not name.startswith(IN_ENGLISH)
        for line, text in _texts(tree, marking)
        if _is_sentence(text)
    ]
    assert not unmarked, "\n".join(unmarked)


def test_a_refusal_with_facts_remembers_them():
    """An f-string forgets what it was made of; `say` does not."""
    trees = sources()
    names = refusals(trees.values())
    forgetful = [
        f"{name}:{node.lineno}"
        for name, tree in trees.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and called(node) in names
        and node.args
        and isinstance(node.args[0], ast.JoinedStr | ast.BinOp)
    ]
    assert not forgetful
