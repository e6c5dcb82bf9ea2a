import asyncio
import json
import time
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jwt.algorithms import OKPAlgorithm

from weft_runtime.identity.jwks import Jwks
from weft_runtime.identity.principal import Principal
from weft_runtime.identity.user_token import UserVerifier
from weft_runtime.rpc.errors import ServiceError

KEY = Ed25519PrivateKey.generate()


def token(key: Ed25519PrivateKey = KEY, header: dict[str, Any] | None = None, **claims: Any) -> str:
    now = int(time.time())
    usual = {
        "sub": "ann",
        "roles": ["admin"],
        "iss": "issuer",
        "aud": "us",
        "jti": "1",
        "iat": now,
        "exp": now + 300,
    }
    kept = {name: value for name, value in (usual | claims).items() if value is not None}
    return f"Bearer {jwt.encode(kept, key, 'EdDSA', {'typ': 'at+jwt', 'kid': 'k1'} | (header or {}))}"


def jwks() -> bytes:
    key = json.loads(OKPAlgorithm.to_jwk(KEY.public_key())) | {"kid": "k1"}
    return json.dumps({"keys": [key]}).encode()


def check(authorization: str, read: Any = jwks, revoked: Any = None) -> Principal:
    return asyncio.run(UserVerifier(Jwks(read), "issuer", "us", revoked).verify(authorization))


def test_a_good_token_names_its_user_and_roles() -> None:
    assert check(token()) == Principal("ann", ("admin",))


NOW = int(time.time())


@pytest.mark.parametrize(
    ("authorization", "reason"),
    [
        (token(exp=NOW - 60, iat=NOW - 120), "TOKEN_EXPIRED"),
        (token(iat=NOW - 2_000, exp=NOW + 100), "TOKEN_EXPIRED"),
        (token(exp=NOW + 3_600), "TOKEN_INVALID"),
        (token(Ed25519PrivateKey.generate()), "TOKEN_INVALID"),
        (token(header={"typ": "JWT"}), "TOKEN_INVALID"),
        (token(header={"kid": "another"}), "TOKEN_INVALID"),
        (token(iss="somebody"), "TOKEN_INVALID"),
        (token(aud="others"), "TOKEN_INVALID"),
        (token(jti=None), "TOKEN_INVALID"),
        (token(roles="admin"), "TOKEN_INVALID"),
        (token(iat=NOW + 600, exp=NOW + 700), "TOKEN_INVALID"),
        (token(nbf=NOW + 600), "TOKEN_INVALID"),
        (token(iat=str(NOW)), "TOKEN_INVALID"),
        (token(exp=str(NOW + 60)), "TOKEN_INVALID"),
        (token(sub=""), "TOKEN_INVALID"),
        (token(header={"crit": ["x"], "x": 1}), "TOKEN_INVALID"),
        (token(header={"kid": "../../dev/null"}), "TOKEN_INVALID"),
        (f"{token()}, {token()}", "TOKEN_INVALID"),
        ("Basic YTpi", "TOKEN_INVALID"),
        (f"Bearer {jwt.encode({'sub': 'ann'}, '', 'none')}", "TOKEN_INVALID"),
        (f"Bearer {'a' * 5_000}", "TOKEN_INVALID"),
    ],
)
def test_a_token_with_one_thing_wrong_is_refused(authorization: str, reason: str) -> None:
    with pytest.raises(ServiceError) as refused:
        check(authorization)
    assert refused.value.reason == reason


def test_a_revoked_token_is_refused_also_when_it_was_good_before() -> None:
    class Revocations:
        revoked = False

        def is_revoked(self, user: str, issued_at: float) -> bool:
            return self.revoked and user == "ann"

    async def test() -> None:
        revocations = Revocations()
        verifier = UserVerifier(Jwks(jwks), "issuer", "us", revocations)  # type: ignore[arg-type]
        good = token()
        await verifier.verify(good)
        revocations.revoked = True
        with pytest.raises(ServiceError) as refused:
            await verifier.verify(good)
        assert refused.value.reason == "TOKEN_REVOKED"

    asyncio.run(test())


def test_keys_that_cannot_be_read_say_nothing_about_the_token() -> None:
    def away() -> bytes:
        raise ConnectionRefusedError

    for read in (away, lambda: b"<html>"):
        with pytest.raises(ServiceError) as refused:
            check(token(), read)
        assert refused.value.reason == "KEYS_UNAVAILABLE"


def test_unknown_key_ids_do_not_make_it_ask_again_and_again() -> None:
    reads = 0

    def read() -> bytes:
        nonlocal reads
        reads += 1
        return jwks()

    async def test() -> None:
        verifier = UserVerifier(Jwks(read), "issuer", "us", None)
        for number in range(20):
            with pytest.raises(ServiceError):
                await verifier.verify(token(header={"kid": f"unknown{number}"}))

    asyncio.run(test())
    assert reads == 1


def test_keys_that_were_read_count_for_an_hour_while_they_cannot_be_read_again() -> None:
    away = False

    def read() -> bytes:
        if away:
            raise ConnectionRefusedError
        return jwks()

    async def test() -> None:
        nonlocal away
        keys = Jwks(read)
        verifier = UserVerifier(keys, "issuer", "us", None)

        async def reason(number: int, header: dict[str, str] | None = None) -> str:
            try:
                await verifier.verify(token(header=header, jti=str(number)))
            except ServiceError as refused:
                return refused.reason
            return ""

        assert await reason(1) == ""
        away = True
        keys._read_at -= 11 * 60
        assert await reason(11) == ""
        assert await reason(12) == ""
        assert await reason(13, header={"kid": "unknown"}) == "KEYS_UNAVAILABLE"
        keys._read_at -= 64 * 60
        assert await reason(75) == "KEYS_UNAVAILABLE"

    asyncio.run(test())
