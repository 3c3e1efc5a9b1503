from __future__ import annotations

import json
import types
import typing
from pathlib import Path

import pytest

from udfwidgets.live.wire import protocol

TABLE = json.loads(
    (Path(__file__).parents[3] / "js" / "src" / "wire" / "protocol.json").read_text("utf-8")
)
SPECIAL = {
    "state": "state",
    "messages": "messages",
    "images": "images",
    "statuses": "statuses",
    "totals": "totals",
    "view": "view",
    "painted": "sequences",
    "held": "sequences",
    "heard": "sequences",
    "strokes": "strokes",
    "shapes": "shapes",
    "drawings": "drawings",
    "colours": "colours",
}


def word(name: str, hint: object) -> str:
    """Say in the table's words what a Python annotation says."""
    if name == "type":
        return "type"
    if name in SPECIAL:
        return SPECIAL[name]
    if isinstance(hint, types.UnionType):
        inner, none = typing.get_args(hint)
        assert none is types.NoneType
        return word(name, inner) + "?"
    words = {
        str: "string",
        bool: "boolean",
        int: "integer",
        float: "number",
        protocol.CommandName: "command",
        protocol.Rect: "rect",
        protocol.Curve: "curve",
        tuple[int, int]: "shape",
        tuple[float, float]: "limits",
    }
    return words[hint]


@pytest.mark.parametrize("name", protocol.MESSAGES)
def test_messages_have_the_fields_of_the_table(name):
    hints = typing.get_type_hints(protocol.MESSAGES[name])
    assert {field: word(field, hint) for field, hint in hints.items()} == TABLE[name]


def test_table_has_no_other_messages():
    assert set(TABLE) == set(protocol.MESSAGES)
