"""
Page tokens, the same as those of mesh/runtime/paging/page-token.ts, which describes them:

    base64url( version 1 byte | checksum 8 | filters 8 | position, JSON )
"""

import base64
import hashlib
import json
from collections.abc import Sequence
from typing import Any

from weft_runtime.rpc.errors import Code, FieldViolation, ServiceError

_version = b"\x01"
_hash_length = 8


def write_page_token(filters: Sequence[str], position: object) -> str:
    """Token of the page behind ``position``. ``filters`` in a fixed order."""
    body = _hash(_json(filters)) + _json(position)
    return base64.urlsafe_b64encode(_version + _hash(body) + body).decode().rstrip("=")


def read_page_token(filters: Sequence[str], token: str) -> Any:
    """
    Position that a token stands for, not checked yet; None for the first page.

    :raises ServiceError: PAGE_TOKEN_INVALID for a token that no reply with these filters gave
    """
    if token == "":
        return None
    try:
        data = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except ValueError:
        data = b""
    # Decoding skips what is not base64url, so only the canonical spelling is a token.
    canonical = base64.urlsafe_b64encode(data).decode().rstrip("=") == token
    if not canonical or len(data) <= 1 + 2 * _hash_length or data[:1] != _version:
        raise invalid_page_token("is not a token of a list reply")
    checksum, body = data[1 : 1 + _hash_length], data[1 + _hash_length :]
    if checksum != _hash(body):
        raise invalid_page_token("is damaged")
    if body[:_hash_length] != _hash(_json(filters)):
        raise invalid_page_token("belongs to a list with other filters")
    try:
        return json.loads(body[_hash_length:])
    except ValueError as error:
        raise invalid_page_token("is not a token of a list reply") from error


def invalid_page_token(description: str) -> ServiceError:
    """PAGE_TOKEN_INVALID."""
    return ServiceError(
        Code.INVALID_ARGUMENT,
        "PAGE_TOKEN_INVALID",
        f"page_token {description}",
        fields=[FieldViolation("page_token", description)],
    )


def _json(value: object) -> bytes:
    """As JSON.stringify writes it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _hash(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()[:_hash_length]
