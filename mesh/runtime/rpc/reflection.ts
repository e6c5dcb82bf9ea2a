/**
 * Server reflection (grpc.reflection.v1 and v1alpha, which have the same shape): lets grpcurl and buf
 * curl call a server without its .proto files.
 */
import { createRegistry, type DescFile, type DescService, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { Code } from "@connectrpc/connect";
import type {
  ServerReflectionRequest,
  ServerReflectionResponse,
} from "#gen/grpc/reflection/v1/reflection_pb.ts";

type Question = ServerReflectionRequest["messageRequest"];
type Answer = Pick<ServerReflectionResponse, "messageResponse">;

/** Requests answered on one stream. */
const maxQuestions = 1_000;

/** Handlers of either ServerReflection service, answering for `services` and all they depend on. */
export function reflectionOf(services: readonly DescService[]) {
  const answer = createReflection(services);
  return {
    // biome-ignore lint/suspicious/noExplicitAny: the two versions' messages have one shape and two type names
    async *serverReflectionInfo(requests: AsyncIterable<any>): AsyncGenerator<any> {
      let questions = 0;
      for await (const request of requests) {
        if (++questions > maxQuestions) return;
        yield { validHost: request.host, originalRequest: request, ...answer(request.messageRequest) };
      }
    },
  };
}

/** Answers single questions. Names and files that are not part of `services` are NOT_FOUND. */
export function createReflection(services: readonly DescService[]): (question: Question) => Answer {
  const files = new Map<string, DescFile>();
  for (const service of services) collect(service.file, files);
  const registry = createRegistry(...files.values());

  const find = (question: Question): DescFile | undefined => {
    switch (question.case) {
      case "fileByFilename":
        return files.get(question.value);
      case "fileContainingSymbol":
        return (registry.get(question.value) ?? registry.get(question.value.replace(/\.\w+$/, "")))?.file;
      case "fileContainingExtension": {
        const extended = registry.getMessage(question.value.containingType);
        return extended && registry.getExtensionFor(extended, question.value.extensionNumber)?.file;
      }
    }
    return undefined;
  };

  return (question) => {
    if (question.case === "listServices") {
      return { messageResponse: { case: "listServicesResponse", value: listOf(services) } };
    }
    if (question.case === "allExtensionNumbersOfType") {
      const numbers = [...registry].flatMap((type) =>
        type.kind === "extension" && type.extendee.typeName === question.value ? [type.number] : [],
      );
      const value = { baseTypeName: question.value, extensionNumber: numbers };
      return { messageResponse: { case: "allExtensionNumbersResponse", value: value as never } };
    }
    const file = find(question);
    if (!file) {
      const value = { errorCode: Code.NotFound, errorMessage: "not found" };
      return { messageResponse: { case: "errorResponse", value: value as never } };
    }
    const needed = collect(file, new Map());
    const fileDescriptorProto = [...needed.values()].map(({ proto }) =>
      toBinary(FileDescriptorProtoSchema, proto),
    );
    return { messageResponse: { case: "fileDescriptorResponse", value: { fileDescriptorProto } as never } };
  };
}

function listOf(services: readonly DescService[]) {
  return { service: services.map(({ typeName }) => ({ name: typeName })) } as never;
}

/** `file` and everything it imports, by file name. */
function collect(file: DescFile, into: Map<string, DescFile>): Map<string, DescFile> {
  if (into.has(file.proto.name)) return into;
  into.set(file.proto.name, file);
  for (const dependency of file.dependencies) collect(dependency, into);
  return into;
}
