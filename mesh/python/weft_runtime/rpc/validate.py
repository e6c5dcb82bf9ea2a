"""Checks request messages against the rules of the contract (protovalidate), and for U+0000 in any text."""

from collections.abc import Iterator
from typing import Any

import protovalidate
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import ErrorInfo

from weft_runtime.rpc.errors import Code, FieldViolation, Refusal, bad_request

#: Violations that are reported at once.
_most_violations = 50


def check_request(message: Message) -> None:
    """:raises Refusal: INVALID_ARGUMENT that names the fields, reason REQUEST_INVALID"""
    field = find_nul(message)
    if field is not None:
        raise _refused([FieldViolation(field, "must not contain U+0000")])
    violations = protovalidate.collect_violations(message)
    if violations:
        shown = [each.proto for each in violations[:_most_violations]]
        raise _refused([FieldViolation(_path_of(each.field), each.message) for each in shown])


def _refused(fields: list[FieldViolation]) -> Refusal:
    first = fields[0]
    text = f"{first.field}: {first.description}" if first.field else first.description
    details = [bad_request(fields), ErrorInfo(reason="REQUEST_INVALID", domain="weft")]
    return Refusal(Code.INVALID_ARGUMENT, text, details)


def _path_of(path: Any) -> str:
    """Path of a field by proto names: "items[0].product_id"."""
    text = ""
    for element in path.elements if path else ():
        text += ("." if text else "") + element.field_name
        subscript = element.subscript
        if subscript is not None:
            value = subscript.value
            text += f"[{value}]" if not isinstance(value, str) else f'["{value}"]'
    return text


def find_nul(message: Message) -> str | None:
    """
    Path of the first text that contains U+0000, by proto field names; None when there is none. Protobuf allows the
    character, PostgreSQL's text does not.
    """
    for field, value in message.ListFields():
        for at, item in _items(field, value):
            if isinstance(item, str) and "\0" in item:
                return at
            if isinstance(item, Message):
                inner = find_nul(item)
                if inner is not None:
                    return f"{at}.{inner}"
    return None


def _items(field: FieldDescriptor, value: Any) -> Iterator[tuple[str, Any]]:
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        for key in value:
            yield f"{field.name} (a key)", key
            yield f'{field.name}["{key}"]', value[key]
    elif field.is_repeated:
        for index, item in enumerate(value):
            yield f"{field.name}[{index}]", item
    else:
        yield field.name, value
