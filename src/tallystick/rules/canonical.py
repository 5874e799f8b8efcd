"""One spelling for one value, so that equal things have equal hashes.

The form is the JSON Canonicalization Scheme (RFC 8785): UTF-8, no white space, keys in order,
the shortest escapes. Values are strings, integers, booleans, null, lists and objects; there are
no floats, which RFC 8785 would have to round. Money is written as a decimal string, because the
scheme's numbers are exact only up to 2^53.
"""

import json
from typing import Any

# RFC 8785 orders keys by UTF-16 units; our keys are ASCII, where every order is the same one.
_ENCODER = json.JSONEncoder(
    ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False
)


def canonical_json(value: Any) -> bytes:
    """``value`` in its canonical spelling.

    Raises ValueError for text that UTF-8 cannot hold (lone surrogates), TypeError for a type
    that JSON does not know. The caller sees to it that there is no float inside.
    """
    return _ENCODER.encode(value).encode()


def parsed_strictly(content: bytes) -> Any:
    """The value that ``content`` spells, if it spells it canonically.

    White space, another order of keys, a repeated key, a float or a longer escape are other
    bytes for the same value, and refused: whoever hashes bytes must not be shown two spellings.

    Raises ValueError.
    """
    try:
        value = json.loads(content.decode(), parse_float=_no_float, parse_constant=_no_float)
        canonical = canonical_json(value)
    except RecursionError as deep:
        raise ValueError("it is nested too deeply") from deep
    if canonical != content:
        raise ValueError("it is not in canonical form")
    return value


def _no_float(text: str) -> Any:
    raise ValueError(f"{text} is not an integer")
