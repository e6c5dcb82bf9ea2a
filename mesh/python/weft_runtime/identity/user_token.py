"""Validates users' access tokens locally (RFC 9068, RFC 8725) against cached public keys."""

import re
import time
from dataclasses import dataclass
from typing import Any

import jwt

from weft_runtime.identity.jwks import Jwks, KeysUnavailable
from weft_runtime.identity.principal import Principal
from weft_runtime.identity.revocations import Revocations
from weft_runtime.rpc.errors import Code, ServiceError

#: Longest life of an access token that is accepted, whatever it says of itself, in seconds.
max_token_life = 15 * 60
_max_token_bytes = 4_096
_cache_size = 1_000
_tolerance = 5


@dataclass(frozen=True, slots=True)
class _Verified:
    """A token that was good when it was checked. Times in seconds since 1970."""

    principal: Principal
    issued_at: float
    expires_at: float


class UserVerifier:
    """Checks values of the header Authorization. A token that was checked before and has not expired is known."""

    def __init__(self, jwks: Jwks, issuer: str, audience: str, revocations: Revocations | None) -> None:
        self._jwks = jwks
        self._issuer = issuer
        self._audience = audience
        self._revocations = revocations
        self._verified: dict[str, _Verified] = {}

    async def verify(self, authorization: str) -> Principal:
        """:raises ServiceError: TOKEN_INVALID, TOKEN_EXPIRED, TOKEN_REVOKED, KEYS_UNAVAILABLE"""
        known = self._verified.get(authorization)
        if known is None or known.expires_at <= time.time():
            claims = await self._claims(_bearer_token(authorization))
            known = _Verified(_principal_of(claims), claims["iat"], claims["exp"])
            if len(self._verified) >= _cache_size:
                self._verified.pop(next(iter(self._verified)))
            self._verified[authorization] = known
        if self._revocations and self._revocations.is_revoked(known.principal.id, known.issued_at):
            raise ServiceError(
                Code.UNAUTHENTICATED,
                "TOKEN_REVOKED",
                "the access token is not valid any more; sign in again",
            )
        return known.principal

    async def _claims(self, token: str) -> dict[str, Any]:
        try:
            header = jwt.get_unverified_header(token)
            kind = str(header.get("typ", "")).lower().removeprefix("application/")
            key_id = header.get("kid")
            if kind != "at+jwt" or header.get("alg") != "EdDSA":
                raise _invalid()
            if not isinstance(key_id, str) or not re.fullmatch(r"[\w-]{1,64}", key_id, re.ASCII):
                raise _invalid()
            key = await self._jwks.find(key_id)
            if key is None:
                raise _invalid()
            claims = jwt.decode(
                token,
                key,
                algorithms=["EdDSA"],
                issuer=self._issuer,
                audience=self._audience,
                leeway=_tolerance,
                options={"require": ["sub", "iat", "exp", "jti", "iss", "aud"]},
            )
        except KeysUnavailable as error:
            raise ServiceError(
                Code.UNAVAILABLE, "KEYS_UNAVAILABLE", "the keys of access tokens cannot be read now"
            ) from error
        except jwt.ExpiredSignatureError as error:
            raise _expired() from error
        except jwt.PyJWTError as error:
            raise _invalid() from error
        if not all(type(claims[name]) in (int, float) for name in ("iat", "exp")):
            raise _invalid()
        if claims["iat"] < time.time() - max_token_life - _tolerance:
            raise _expired()
        if claims["exp"] - claims["iat"] > max_token_life:
            raise ServiceError(Code.UNAUTHENTICATED, "TOKEN_INVALID", "the access token lives too long")
        return claims


def _bearer_token(authorization: str) -> str:
    match = re.fullmatch(r"Bearer ([\w.~+/=-]+)", authorization, re.IGNORECASE | re.ASCII)
    if not match or len(match[1]) > _max_token_bytes:
        raise ServiceError(
            Code.UNAUTHENTICATED, "TOKEN_INVALID", "the header Authorization must be: Bearer TOKEN"
        )
    return match[1]


def _principal_of(claims: dict[str, Any]) -> Principal:
    user, roles, client_id = claims["sub"], claims.get("roles"), claims.get("client_id")
    if not isinstance(user, str) or not user or not isinstance(roles, list):
        raise _invalid()
    if not all(isinstance(role, str) for role in roles):
        raise _invalid()
    return Principal(user, tuple(roles), client_id if isinstance(client_id, str) else None)


def _invalid() -> ServiceError:
    return ServiceError(Code.UNAUTHENTICATED, "TOKEN_INVALID", "the access token is not valid")


def _expired() -> ServiceError:
    return ServiceError(Code.UNAUTHENTICATED, "TOKEN_EXPIRED", "the access token has expired")
