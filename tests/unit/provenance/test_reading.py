"""What JSON can be kept without loss, and what is refused before anything looks at it."""

import pytest

from market.provenance.rules.reading import Unreadable, canonical, read_json


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b'{"a":1,"a":1}', "stands twice"),
        (b'{"a":NaN}', "NaN"),
        (b"[-Infinity]", "Infinity"),
        (b"[0.1234567890123456789]", "changes when put through a double"),
        (b"[1e400]", "changes when put through a double"),
        (b"[9007199254740992]", "beyond"),
        (b"[-9007199254740992]", "beyond"),
        (b"[1e22]", "beyond"),
        (b"[" + b"9" * 5000 + b"]", "beyond"),
        (b"[0." + b"1" * 5000 + b"]", "more digits"),
        (b"\xff", "not UTF-8"),
        (b"\xef\xbb\xbf{}", "byte order mark"),
        (b'["\\u0000"]', "U\\+0000"),
        (b'{"\\ud800":1}', "surrogate"),
        (b'["\\udc00\\ud800"]', "surrogate"),
        (b"[1,]", "line 1, column"),
        (b"", "not JSON"),
        (b"[" * 33 + b"]" * 33, "nested"),
        (b"[" * 100_000, "nested|not JSON"),
        (b'{"a":' * 33 + b"1" + b"}" * 33, "nested"),
    ],
)
def test_refuses_what_cannot_be_kept(body: bytes, reason: str) -> None:
    with pytest.raises(Unreadable, match=reason):
        read_json(body)


def test_one_value_has_one_form() -> None:
    assert canonical(read_json(b'{"b": 480.0, "a": 4.80e2}')) == b'{"a":480,"b":480}'
    assert canonical(read_json(b"[-0.0, 196.50, 1E-7]")) == b"[0,196.5,1e-7]"


def test_keeps_what_is_sound() -> None:
    assert read_json(b"[" * 32 + b"]" * 32)
    assert read_json('["\\ud83c\\udf31 é \\\\u0000", 9007199254740991]'.encode()) == [
        "🌱 é \\u0000",
        2**53 - 1,
    ]
