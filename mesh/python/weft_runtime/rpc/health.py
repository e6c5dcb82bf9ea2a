"""Whether a process is ready to serve: grpc.health.v1, with the services it has."""

import asyncio
from collections.abc import Sequence
from typing import Any

from grpc_health.v1 import health_pb2
from grpc_health.v1._async import HealthServicer

_SERVING = health_pb2.HealthCheckResponse.SERVING
_NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


class Health(HealthServicer):
    """
    State of a process and its services.

    :param names: full names of the services served; the empty name stands for the whole process
    """

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__()
        self.ready = False
        self._names = ("", *names)
        self._closing = asyncio.Event()

    async def set_ready(self, ready: bool) -> None:
        """Sets the state and tells everyone who watches."""
        self.ready = ready
        for name in self._names:
            await self.set(name, _SERVING if ready else _NOT_SERVING)

    def close(self) -> None:
        """Ends the streams of those who watch: they would not end by themselves."""
        self._closing.set()

    async def Watch(self, request: health_pb2.HealthCheckRequest, context: Any) -> None:
        """Tells the state until ``close``, or until the caller leaves."""
        watching = asyncio.ensure_future(super().Watch(request, context))
        closing = asyncio.ensure_future(self._closing.wait())
        try:
            await asyncio.wait({watching, closing}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            watching.cancel()
            closing.cancel()
