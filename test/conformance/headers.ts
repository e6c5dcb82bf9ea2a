/** Metadata in the form that the conformance runner wants it. */
import { create } from "@bufbuild/protobuf";
import { type Header, HeaderSchema } from "./gen/connectrpc/conformance/v1/service_pb.ts";

export function headersOf(headers: Headers): Header[] {
  return [...headers].map(([name, value]) =>
    create(HeaderSchema, { name, value: value.split(",").map((one) => one.trim()) }),
  );
}
