"""Plugin of buf generate for gRPC stubs in Python, and their types.

grpcio-tools has this generator inside its protoc only, not as a plugin: the request that buf sends is handed to
that protoc as a set of descriptors. Files without services, for which the generator of types would write empty
stubs, are left out.
"""

import sys
import tempfile
from pathlib import Path

from google.protobuf.compiler import plugin_pb2
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from grpc_tools import protoc


def generate(request: plugin_pb2.CodeGeneratorRequest) -> plugin_pb2.CodeGeneratorResponse:
    """The stubs of every service in the files that the request asks for."""
    answer = plugin_pb2.CodeGeneratorResponse(
        supported_features=plugin_pb2.CodeGeneratorResponse.FEATURE_PROTO3_OPTIONAL
    )
    with_services = [
        file.name for file in request.proto_file if file.service and file.name in request.file_to_generate
    ]
    if not with_services:
        return answer
    with tempfile.TemporaryDirectory() as folder:
        descriptors = Path(folder, "descriptors.binpb")
        descriptors.write_bytes(FileDescriptorSet(file=request.proto_file).SerializeToString())
        out = Path(folder, "out")
        out.mkdir()
        types = Path(sys.executable).parent / "protoc-gen-mypy_grpc"
        options = [
            f"--descriptor_set_in={descriptors}",
            f"--grpc_python_out={out}",
            f"--plugin=protoc-gen-mypy_grpc={types}",
            f"--mypy_grpc_out=quiet:{out}",
        ]
        code = protoc.main(["protoc", *options, *with_services])  # type: ignore[no-untyped-call]
        if code != 0:
            answer.error = f"protoc ended with {code}"
            return answer
        for path in sorted(out.rglob("*_pb2_grpc.py*")):
            answer.file.add(name=path.relative_to(out).as_posix(), content=path.read_text("utf-8"))
    return answer


if __name__ == "__main__":
    asked = plugin_pb2.CodeGeneratorRequest.FromString(sys.stdin.buffer.read())
    sys.stdout.buffer.write(generate(asked).SerializeToString())
