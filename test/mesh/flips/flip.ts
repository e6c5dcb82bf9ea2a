/** Sets options of a compiled contract and tells which resources come out different. */
import {
  clone,
  create,
  type DescExtension,
  getExtension,
  type Message,
  setExtension,
} from "@bufbuild/protobuf";
import { type FileDescriptorSet, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { parseAllDocuments } from "yaml";
import { event, field, method, service } from "#gen/weft/policy/v1/policy_pb.ts";
import { targets } from "../../../mesh/codegen/weft/targets/targets.ts";
import { generate } from "../../../mesh/codegen/weft/testdata/compile.ts";

/** What an option stands on: ShelfService.FindBook, ShelfService, BookAdded, or Shelf.name. */
export type Place = "method" | "service" | "event" | "field";

const extensions: Record<Place, DescExtension> = { method, service, event, field };

const FILE = "library/flips/v1/flips.proto";
const parameter =
  "namespace=books,token_issuer=https://id.example,token_audience=all,jwks_url=http://id.example/keys";

/** A copy of the contract with fields of one of its policies set. */
export function withPolicy(set: FileDescriptorSet, place: Place, fields: object): FileDescriptorSet {
  const changed = clone(FileDescriptorSetSchema, set);
  const file = changed.file.find(({ name }) => name === FILE)!;
  const owner = {
    method: file.service[0]!.method[0]!,
    service: file.service[0]!,
    event: file.messageType[1]!,
    field: file.messageType[0]!.field[0]!,
  }[place];
  const extension = extensions[place];
  const schema = extension.message!;
  owner.options ??= create(extension.extendee) as never;
  const value = getExtension(owner.options as never, extension) as Message & Record<string, unknown>;
  const wanted = create(schema, fields as never) as Message & Record<string, unknown>;
  for (const field of Object.keys(fields)) value[field] = wanted[field];
  setExtension(owner.options as never, extension, value as never);
  return changed;
}

/** Target → texts by resource: "KIND/NAME", or the file's name for what is no object of Kubernetes. */
export type Generated = ReadonlyMap<string, ReadonlyMap<string, string>>;

/** @throws Error with what the generator says of the contract */
export function generateAll(set: FileDescriptorSet): Generated {
  return new Map(
    Object.keys(targets).map((target) => {
      const { error, file } = generate(set, FILE, `target=${target},${parameter}`);
      if (error) throw new Error(error);
      return [target, new Map(file.flatMap(({ name, content }) => resourcesIn(name, content)))];
    }),
  );
}

function resourcesIn(file: string, content: string): [string, string][] {
  if (!file.endsWith(".yaml") || file.includes("kustomization")) return [[file, content]];
  return parseAllDocuments(content).map((document) => {
    const value = document.toJS() as { kind?: string; metadata?: { name: string } };
    const resource = value.kind && value.metadata ? `${value.kind}/${value.metadata.name}` : file;
    return [resource, JSON.stringify(value)];
  });
}

/** Target → resources that differ, sorted; "+" marks those that are new, "-" those that are gone. */
export function differences(before: Generated, after: Generated): Record<string, string[]> {
  const all: Record<string, string[]> = {};
  for (const [target, was] of before) {
    const is = after.get(target)!;
    const names = [...new Set([...was.keys(), ...is.keys()])].sort();
    const changed = names
      .filter((name) => was.get(name) !== is.get(name))
      .map((name) => (was.has(name) ? (is.has(name) ? name : `-${name}`) : `+${name}`));
    if (changed.length > 0) all[target] = changed;
  }
  return all;
}
