from collections.abc import Callable
from dataclasses import dataclass

from weft_runtime.faults.fault_list import Faults
from weft_runtime.identity.identify_caller import IdentifyCaller
from weft_runtime.identity.peer import Peer
from weft_runtime.identity.user_token import UserVerifier
from weft_runtime.rpc.server_load import ServerLoad
from weft_runtime.telemetry.log import Log
from weft_runtime.telemetry.metrics import Metrics
from weft_runtime.telemetry.tracer import Tracer


@dataclass(frozen=True, slots=True)
class CallParts:
    """What the serving of calls needs from the process."""

    log: Log
    tracer: Tracer
    metrics: Metrics
    load: ServerLoad
    #: None: no faults are injected.
    faults: Faults | None
    identify_caller: IdentifyCaller
    users: UserVerifier
    #: Callers without a workload identity may call what the edge may. Development only.
    direct_calls: bool
    #: Who is at the other end of the connection that a call came by.
    peer_of: Callable[[str], Peer]
