/** A method of a library's contract with a policy that a test gives it. */
import {
  create,
  createFileRegistry,
  type DescMethod,
  type MessageInitShape,
  setExtension,
} from "@bufbuild/protobuf";
import {
  FieldDescriptorProto_Label,
  FileDescriptorSetSchema,
  MethodOptions_IdempotencyLevel as Idempotency,
  MethodOptionsSchema,
  ServiceOptionsSchema,
} from "@bufbuild/protobuf/wkt";
import {
  MethodPolicySchema,
  method as methodOption,
  ServicePolicySchema,
  service as serviceOption,
} from "#gen/weft/policy/v1/policy_pb.ts";

type PolicyInit = MessageInitShape<typeof MethodPolicySchema>;

/** `library.v1.Library.FindBook`, unary. */
export function libraryMethod(
  policy: PolicyInit,
  options: { idempotency?: Idempotency; defaults?: PolicyInit; streams?: boolean } = {},
): DescMethod {
  const methodOptions = create(MethodOptionsSchema, {
    idempotencyLevel: options.idempotency ?? Idempotency.NO_SIDE_EFFECTS,
  });
  setExtension(methodOptions, methodOption, create(MethodPolicySchema, policy));
  const serviceOptions = create(ServiceOptionsSchema);
  setExtension(
    serviceOptions,
    serviceOption,
    create(ServicePolicySchema, { name: "library", defaults: { callers: ["edge"], ...options.defaults } }),
  );
  const set = create(FileDescriptorSetSchema, {
    file: [
      {
        name: "library.proto",
        package: "library.v1",
        syntax: "proto3",
        messageType: [
          {
            name: "Book",
            field: [
              { name: "id", jsonName: "id", number: 1, type: 9, label: FieldDescriptorProto_Label.OPTIONAL },
            ],
          },
        ],
        service: [
          {
            name: "Library",
            options: serviceOptions,
            method: [
              {
                name: "FindBook",
                inputType: ".library.v1.Book",
                outputType: ".library.v1.Book",
                options: methodOptions,
                serverStreaming: options.streams ?? false,
              },
            ],
          },
        ],
      },
    ],
  });
  return createFileRegistry(set).getService("library.v1.Library")!.methods[0]!;
}
