"""
Server reflection in both versions: lets grpcurl and buf curl call a server without its .proto files. Their messages
have one shape, and the library has the older ones.
"""

from collections.abc import Sequence

import grpc
from google.protobuf import descriptor_pool, text_format
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from grpc_reflection.v1alpha import reflection, reflection_pb2

_OLD, _NEW = "grpc.reflection.v1alpha", "grpc.reflection.v1"


def add_reflection(names: Sequence[str], server: grpc.aio.Server) -> None:
    """Serves reflection of the services ``names``, and of all that they depend on."""
    _describe_new_version()
    listed = [*names, f"{_NEW}.ServerReflection", f"{_OLD}.ServerReflection"]
    servicer = reflection.aio.ReflectionServicer(listed)  # type: ignore[no-untyped-call]
    handler = grpc.stream_stream_rpc_method_handler(
        servicer.ServerReflectionInfo,
        request_deserializer=reflection_pb2.ServerReflectionRequest.FromString,
        response_serializer=reflection_pb2.ServerReflectionResponse.SerializeToString,
    )
    for package in (_OLD, _NEW):
        service = f"{package}.ServerReflection"
        handlers = grpc.method_handlers_generic_handler(service, {"ServerReflectionInfo": handler})
        server.add_generic_rpc_handlers([handlers])


def _describe_new_version() -> None:
    """So that it can be asked for its own description, too."""
    old = FileDescriptorProto()
    reflection_pb2.DESCRIPTOR.CopyToProto(old)
    new = text_format.Parse(text_format.MessageToString(old).replace(_OLD, _NEW), FileDescriptorProto())
    new.name = "grpc/reflection/v1/reflection.proto"
    descriptor_pool.Default().Add(new)
