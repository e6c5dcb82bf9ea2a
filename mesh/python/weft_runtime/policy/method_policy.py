"""Policy of a method as the runtime uses it: options of the contract merged with the defaults."""

from dataclasses import dataclass
from functools import cache
from typing import Any

from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.duration_pb2 import Duration
from weft.policy.v1 import policy_pb2

from weft_runtime.policy.options import method_option, service_option


@dataclass(frozen=True, slots=True)
class ResolvedPolicy:
    """What a server must know about a method. Times in seconds."""

    #: None: the contract has no rule, so the method is refused.
    access: policy_pb2.Access | None
    callers: frozenset[str]
    timeout: float
    #: Calls that take longer are worth a look: the objective's latency, else half of the timeout.
    slow: float
    #: Calls in flight in a process: what all callers together may have, each with a process.
    concurrency: int
    importance: int
    idempotency_key_required: bool


@cache
def policy_of(method: MethodDescriptor) -> ResolvedPolicy:
    """Policy of ``method``, from its own option, its service's defaults, and the built-in defaults."""
    own = method_option(method)
    defaults = service_option(method.containing_service).defaults

    def pick(field: str) -> Any:
        for policy in (own, defaults):
            if policy.HasField(field):
                return getattr(policy, field)
        return None

    access: policy_pb2.Access | None = pick("access")
    timeout = _seconds(pick("timeout")) or 2.0
    slo: policy_pb2.Slo | None = pick("slo")
    concurrency: policy_pb2.Concurrency | None = pick("concurrency")
    callers = frozenset(own.callers or defaults.callers)
    limit = concurrency.limit if concurrency else 0
    latency = _seconds(slo.latency) if slo and slo.HasField("latency") else None
    return ResolvedPolicy(
        access=access if access and access.WhichOneof("rule") else None,
        callers=callers,
        timeout=timeout,
        slow=latency if latency is not None else timeout / 2,
        concurrency=limit * max(1, len(callers)) if limit else 512,
        importance=own.importance or defaults.importance or policy_pb2.IMPORTANCE_NORMAL,
        idempotency_key_required=(own.idempotency_key or defaults.idempotency_key)
        == policy_pb2.IDEMPOTENCY_KEY_REQUIRED,
    )


def mesh_name_of(service: ServiceDescriptor) -> str:
    """
    Name of a service in the mesh.

    :raises ValueError: when the contract gives it none
    """
    name = service_option(service).name
    if not name:
        raise ValueError(f"{service.full_name}: option (weft.policy.v1.service).name is missing")
    return name


def _seconds(duration: Duration | None) -> float | None:
    return None if duration is None else duration.seconds + duration.nanos / 1e9
