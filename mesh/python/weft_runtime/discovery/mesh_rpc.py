"""Handlers of weft.mesh.v1.MeshService."""

from typing import Any

from weft.mesh.v1 import mesh_pb2 as pb
from weft.mesh.v1.mesh_pb2_grpc import MeshServiceServicer

from weft_runtime.config import Config
from weft_runtime.discovery.registration import instance_name, started_at
from weft_runtime.events.bus import Bus
from weft_runtime.identity.credentials import Credentials
from weft_runtime.rpc.server_load import ServerLoad


class MeshRpc(MeshServiceServicer):
    """What this process knows. It calls no other service, so it has no upstreams and no breakers."""

    def __init__(
        self, service: str, config: Config, credentials: Credentials | None, bus: Bus, load: ServerLoad
    ) -> None:
        self._service = service
        self._config = config
        self._credentials = credentials
        self._bus = bus
        self._load = load

    async def GetState(self, request: pb.GetStateRequest, context: Any) -> pb.ProcessState:
        config, load = self._config, self._load
        live = config.discovery == "registry" and self._bus.is_connected
        state = pb.ProcessState(
            service=self._service,
            instance=instance_name(config),
            version=config.version,
            discovery=pb.Discovery(kind=config.discovery, registry_live=live),
            load=pb.Load(in_flight=load.in_flight, shed_level=load.level, shed=load.shed),
        )
        state.started_at.FromDatetime(started_at)
        if self._credentials:
            state.certificate_expires_at.FromDatetime(self._credentials.current.not_after)
        return state
