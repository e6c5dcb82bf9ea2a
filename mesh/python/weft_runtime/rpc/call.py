"""What is known of a call that comes in."""

from collections.abc import Mapping
from dataclasses import dataclass

import grpc
from google.protobuf.descriptor import MethodDescriptor

from weft_runtime.identity.peer import Peer


@dataclass(slots=True)
class Call:
    """A call, as it goes from one step of rpc/serve_calls.py to the next."""

    method: MethodDescriptor
    #: The message as it came, in Protobuf's binary format.
    body: bytes
    #: Metadata as text, names in lower case; several values of one name with commas between.
    headers: Mapping[str, str]
    peer: Peer
    context: "grpc.aio.ServicerContext[bytes, bytes]"
    #: Mesh name of the caller, once it is known.
    caller: str | None = None

    @property
    def name(self) -> str:
        """As rpc.method has it: "pkg.v1.Service/Method"."""
        return f"{self.method.containing_service.full_name}/{self.method.name}"
