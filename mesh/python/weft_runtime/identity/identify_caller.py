"""Which workload makes a call: by the certificate of its connection or, in a mesh, by the header of our own proxy."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from enum import Enum

from weft_runtime.identity.certificate_name import NotIdentified
from weft_runtime.identity.peer import Peer, Proved, Refused
from weft_runtime.identity.spiffe_id import TrustDomain
from weft_runtime.rpc.errors import Code, ServiceError

#: By which proxies tell who calls. Nobody else may set them.
_forwarded, _linkerd = "x-forwarded-client-cert", "l5d-client-id"


class Admission(Enum):
    """How a caller may be known besides by name."""

    #: Without a name here; the mesh has found it on the method's list.
    BY_MESH = 1


#: Name of the caller; None for one that shows nothing.
IdentifyCaller = Callable[[Peer, Mapping[str, str]], "str | Admission | None"]


def identify_callers(mesh: str, name: str, domain: TrustDomain) -> IdentifyCaller:
    """
    :param mesh: who proves identities: "none" is the kit itself
    :returns: a function that throws ServiceError WORKLOAD_INVALID for a proof that is not valid, or not of the kind
        used here
    """

    def by_connection(peer: Peer, headers: Mapping[str, str]) -> str | None:
        _refuse_others(headers, None)
        if isinstance(peer, Refused):
            raise _unproved(peer.reason)
        if not isinstance(peer, Proved):
            return None
        if peer.valid_until < datetime.now(UTC):
            raise _unproved(f'the certificate of "{peer.name}" has expired')
        return peer.name

    def by_header(header: str, read: Callable[[str], str]) -> IdentifyCaller:
        def identify(_peer: Peer, headers: Mapping[str, str]) -> str | None:
            _refuse_others(headers, header)
            value = headers.get(header)
            if value is None:
                return None
            try:
                return read(value)
            except NotIdentified as error:
                raise _unproved(str(error)) from error

        return identify

    def by_waypoint(_peer: Peer, headers: Mapping[str, str]) -> Admission:
        _refuse_others(headers, None)
        return Admission.BY_MESH

    if mesh == "istio":
        return by_header(_forwarded, lambda value: name_in_forwarded_cert(value, name, domain))
    if mesh == "linkerd":
        return by_header(_linkerd, lambda value: name_in_linkerd_id(value, domain))
    return by_waypoint if mesh == "istio-ambient" else by_connection


def _unproved(problem: str) -> ServiceError:
    refusal = ServiceError(
        Code.UNAUTHENTICATED, "WORKLOAD_INVALID", "the calling service could not be identified"
    )
    refusal.__cause__ = NotIdentified(problem)
    return refusal


def _refuse_others(headers: Mapping[str, str], trusted: str | None) -> None:
    """A header that no proxy of ours sets was made up by somebody."""
    for name in (_forwarded, _linkerd):
        if name != trusted and name in headers:
            raise _unproved(f"{name} is not used here")


_pair = re.compile(r'([A-Za-z]+)=("(?:[^"\\]|\\.)*"|[^",;=]*)([;,]|$)')


def name_in_forwarded_cert(header: str, own_name: str, domain: TrustDomain) -> str:
    """
    Name of the caller by the last element of Envoy's x-forwarded-client-cert, which our own proxy has written: it must
    be for us (By) and have one URI, the caller's SPIFFE id.

    :raises NotIdentified:
    """
    if len(header) > 8_192:
        raise NotIdentified(f"{_forwarded} is too long")
    # Between elements a space may stand: proxies and HTTP libraries join headers of one name with it.
    text = re.sub(r", (?=By=)", ",", header, flags=re.IGNORECASE)
    element: list[tuple[str, str]] = []
    at, end = 0, ","
    while end:
        match = _pair.match(text, at)
        if not match:
            raise NotIdentified(f"{_forwarded} cannot be read")
        if end == ",":
            element = []
        key, value, end = match.groups()
        if value.startswith('"'):
            value = re.sub(r"\\(.)", r"\1", value[1:-1])
        element.append((key.lower(), value))
        at = match.end()
    by = [value for key, value in element if key == "by"]
    if by != [domain.spiffe_id(own_name)]:
        raise NotIdentified(f"{_forwarded} was not written for this workload")
    uris = [value for key, value in element if key == "uri"]
    if len(uris) != 1:
        raise NotIdentified(f"{_forwarded} has {len(uris)} URIs in place of one")
    return _workload(domain.name_in(uris[0]), uris[0])


def name_in_linkerd_id(header: str, domain: TrustDomain) -> str:
    """
    Name of the caller by the header l5d-client-id: NAME.NAMESPACE.serviceaccount.identity.LINKERD.TRUST_DOMAIN.

    :raises NotIdentified:
    """
    match header.split(".", 5):
        case [name, domain.namespace, "serviceaccount", "identity", control_plane, domain.trust_domain] if (
            re.fullmatch(r"[a-z0-9-]{1,63}", control_plane)
        ):
            return _workload(domain.name_in(domain.spiffe_id(name)), header)
    return _workload(None, header)


def _workload(name: str | None, shown: str) -> str:
    if name is None:
        raise NotIdentified(f"{shown[:200]} is no workload of this mesh")
    return name
