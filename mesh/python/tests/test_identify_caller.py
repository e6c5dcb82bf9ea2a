"""Callers behind a mesh, by the headers of its proxies."""

import pytest

from weft_runtime.identity.identify_caller import Admission, identify_callers
from weft_runtime.identity.peer import Silent
from weft_runtime.identity.spiffe_id import TrustDomain
from weft_runtime.rpc.errors import ServiceError

DOMAIN = TrustDomain("cluster.local", "weft")
BY = "By=spiffe://cluster.local/ns/weft/sa/shelf"
ORDER = "URI=spiffe://cluster.local/ns/weft/sa/order"


def caller(mesh: str, headers: dict[str, str]) -> str | Admission | None:
    return identify_callers(mesh, "shelf", DOMAIN)(Silent(), headers)


def test_istio_tells_by_the_last_element() -> None:
    of_us = f'{BY};Hash=1;Subject="a,b;c";{ORDER}'
    assert caller("istio", {"x-forwarded-client-cert": of_us}) == "order"
    made_up = f"{BY};URI=spiffe://cluster.local/ns/weft/sa/edge"
    assert caller("istio", {"x-forwarded-client-cert": f"{made_up}, {of_us}"}) == "order"
    assert caller("istio", {}) is None


def test_linkerd_tells_by_its_own_header() -> None:
    assert (
        caller("linkerd", {"l5d-client-id": "order.weft.serviceaccount.identity.linkerd.cluster.local"})
        == "order"
    )


def test_a_waypoint_has_checked_already() -> None:
    assert caller("istio-ambient", {}) is Admission.BY_MESH


@pytest.mark.parametrize(
    ("mesh", "name", "value"),
    [
        ("istio", "x-forwarded-client-cert", f"By=spiffe://cluster.local/ns/weft/sa/other;{ORDER}"),
        ("istio", "x-forwarded-client-cert", f"{BY};{ORDER};{ORDER}"),
        ("istio", "x-forwarded-client-cert", f"{BY};URI=spiffe://cluster.local/ns/other/sa/order"),
        ("istio", "x-forwarded-client-cert", f'{BY};{ORDER};Subject="open'),
        ("istio", "x-forwarded-client-cert", "a" * 9_000),
        ("linkerd", "l5d-client-id", "order.other.serviceaccount.identity.linkerd.cluster.local"),
        ("linkerd", "l5d-client-id", "order.weft.serviceaccount.identity.linkerd.elsewhere"),
        ("none", "x-forwarded-client-cert", f"{BY};{ORDER}"),
        ("linkerd", "x-forwarded-client-cert", f"{BY};{ORDER}"),
        ("istio-ambient", "l5d-client-id", "order.weft.serviceaccount.identity.linkerd.cluster.local"),
    ],
)
def test_a_header_that_proves_nothing_is_refused(mesh: str, name: str, value: str) -> None:
    with pytest.raises(ServiceError) as refused:
        caller(mesh, {name: value})
    assert refused.value.reason == "WORKLOAD_INVALID"
