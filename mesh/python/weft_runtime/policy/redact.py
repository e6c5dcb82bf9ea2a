"""Messages as people may see them: without the fields that the contract calls sensitive."""

from typing import Any, cast

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message

from weft_runtime.policy.options import field_option

#: What stands in the place of a sensitive value.
REDACTED = "[redacted]"


def redacted_json(message: Message) -> dict[str, Any]:
    """A message as proto JSON, with "[redacted]" for each sensitive value that is set."""
    return _redact(cast(Descriptor, message.DESCRIPTOR), MessageToDict(message))


def _redact(schema: Descriptor, json: dict[str, Any]) -> dict[str, Any]:
    fields = {field.json_name: field for field in schema.fields}
    return {name: _redact_field(fields[name], value) for name, value in json.items()}


def _redact_field(field: FieldDescriptor, value: Any) -> Any:
    if field_option(field).sensitive:
        return REDACTED
    inner = field.message_type
    # Well-known types have a JSON form of their own and no options of ours.
    if inner is None or inner.full_name.startswith("google.protobuf."):
        return value
    if inner.GetOptions().map_entry:
        return {key: _redact_field(inner.fields_by_name["value"], item) for key, item in value.items()}
    if isinstance(value, list):
        return [_redact(inner, item) for item in value]
    return _redact(inner, value)
