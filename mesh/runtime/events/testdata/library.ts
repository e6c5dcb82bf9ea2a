/** A contract for tests, built without files: a library whose shelves open and whose books are lent. */
import { create, createFileRegistry, type DescFile, type Message, setExtension } from "@bufbuild/protobuf";
import type { GenMessage } from "@bufbuild/protobuf/codegenv2";
import {
  DescriptorProtoSchema,
  durationFromMs,
  FieldDescriptorProto_Type,
  FieldDescriptorProtoSchema,
  FileDescriptorProtoSchema,
  file_google_protobuf_descriptor,
  MessageOptionsSchema,
} from "@bufbuild/protobuf/wkt";
import {
  EventPolicySchema,
  event as eventOption,
  file_weft_policy_v1_policy,
} from "#gen/weft/policy/v1/policy_pb.ts";

export type BookLent = Message<"library.v1.BookLent"> & { shelfId: string; revision: bigint; title: string };
export type ShelfOpened = Message<"library.v1.ShelfOpened"> & { shelfId: string };

/** Overrides of the policy that a test is about. */
export interface LibraryPolicy {
  subject?: string;
  key?: string;
  version?: string;
  consumers?: {
    service: string;
    maxDeliver?: number;
    backoff?: number[];
    ackWait?: number;
    maxAckPending?: number;
  }[];
}

/** The contract library.v1; `lent` changes the policy of BookLent. */
export function libraryContract(lent: LibraryPolicy = {}): {
  file: DescFile;
  BookLentSchema: GenMessage<BookLent>;
  ShelfOpenedSchema: GenMessage<ShelfOpened>;
} {
  const proto = create(FileDescriptorProtoSchema, {
    name: "library/v1/events.proto",
    package: "library.v1",
    syntax: "proto3",
    messageType: [
      message(
        "BookLent",
        [
          ["shelf_id", FieldDescriptorProto_Type.STRING],
          ["revision", FieldDescriptorProto_Type.INT64],
          ["title", FieldDescriptorProto_Type.STRING],
        ],
        {
          subject: "library.v1.book_lent",
          key: "shelf_id",
          version: "revision",
          ...lent,
        },
      ),
      message("ShelfOpened", [["shelf_id", FieldDescriptorProto_Type.STRING]], {
        subject: "library.v1.shelf_opened",
        key: "shelf_id",
        consumers: [{ service: "reader" }],
      }),
      message("Librarian", [["name", FieldDescriptorProto_Type.STRING]]),
    ],
  });
  const registry = createFileRegistry(proto, (name) =>
    [file_weft_policy_v1_policy, file_google_protobuf_descriptor].find((file) => file.proto.name === name),
  );
  return {
    file: registry.getFile(proto.name) as DescFile,
    BookLentSchema: registry.getMessage("library.v1.BookLent") as GenMessage<BookLent>,
    ShelfOpenedSchema: registry.getMessage("library.v1.ShelfOpened") as GenMessage<ShelfOpened>,
  };
}

function message(name: string, fields: [string, FieldDescriptorProto_Type][], policy?: LibraryPolicy) {
  const options = create(MessageOptionsSchema);
  if (policy) {
    const { consumers = [], ...rest } = policy;
    setExtension(
      options,
      eventOption,
      create(EventPolicySchema, {
        ...rest,
        consumers: consumers.map(({ backoff = [], ackWait, ...consumer }) => ({
          ...consumer,
          backoff: backoff.map(durationFromMs),
          ackWait: ackWait === undefined ? undefined : durationFromMs(ackWait),
        })),
      }),
    );
  }
  return create(DescriptorProtoSchema, {
    name,
    options,
    field: fields.map(([fieldName, type], index) =>
      create(FieldDescriptorProtoSchema, {
        name: fieldName,
        jsonName: fieldName.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase()),
        number: index + 1,
        type,
        label: 1,
      }),
    ),
  });
}
