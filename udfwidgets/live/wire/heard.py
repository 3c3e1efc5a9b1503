"""What pages say, checked field by field: what is not a message of the protocol is dropped."""

from __future__ import annotations

import logging
import types
from collections.abc import Mapping
from functools import cache
from typing import Any, Literal, get_args, get_origin, get_type_hints

from udfwidgets.live.wire import protocol

#: Of what is dropped the log shows so much.
SHOWN = 200

_log = logging.getLogger(__name__)


def heard(said: Any) -> list[Mapping[str, Any]]:
    """Return the messages in what a page has said; those that are none are logged, in one line."""
    is_said = isinstance(said, Mapping) and said.get("type") == "said"
    messages = said.get("messages") if is_said else [said]
    if not isinstance(messages, list):
        messages = [said]
    odd = [each for each in messages if not is_message(each)]
    if odd:
        text = f"{odd[0]!r:.{SHOWN}}"
        _log.warning("dropped %d odd messages of a page, the first one: %s", len(odd), text)
    return [each for each in messages if is_message(each)] if odd else messages


def is_message(message: Any) -> bool:
    """Return whether something is a message that a page may say, with all its fields."""
    if not isinstance(message, Mapping) or not isinstance(message.get("type"), str):
        return False
    fields = _fields(message["type"])
    return bool(fields) and all(
        name in message and _is(hint, message[name]) for name, hint in fields.items()
    )


@cache
def _tables() -> dict[str, dict[str, Any]]:
    return {
        str(get_args(hints["type"])[0]): hints
        for hints in map(get_type_hints, get_args(protocol.FromPage))
    }


def _fields(kind: str) -> dict[str, Any]:
    return _tables().get(kind, {})


def _is(hint: Any, value: Any) -> bool:
    """Return whether a value that came as JSON is what an annotation of the protocol says."""
    inner = get_args(hint)
    origin = get_origin(hint)
    if origin is Literal:
        return isinstance(value, str) and value in inner
    if origin is types.UnionType:
        return any(_is(each, value) for each in inner)
    if origin is list:
        return isinstance(value, list) and all(_is(inner[0], each) for each in value)
    if origin is tuple:
        if not isinstance(value, (list, tuple)) or len(value) != len(inner):
            return False
        return all(_is(each, part) for each, part in zip(inner, value, strict=True))
    if origin is dict:
        return isinstance(value, dict) and all(isinstance(name, str) for name in value)
    if hint is float:
        return (
            isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 1e308
        )
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return value is None if hint is types.NoneType else isinstance(value, hint)
