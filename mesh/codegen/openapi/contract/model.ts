/** The contract as the document needs it: one operation per HTTP binding that the edge serves. */
import type { DescField, DescMethod, DescService } from "@bufbuild/protobuf";
import type { EdgePolicy } from "./read-policy.ts";

/** A way from a message to a field inside it, outermost first. */
export type FieldPath = readonly [DescField, ...DescField[]];

/** HTTP methods that a path item of OpenAPI 3.1 has a place for. */
export const verbs = ["get", "put", "post", "delete", "options", "head", "patch", "trace"] as const;
export type Verb = (typeof verbs)[number];

/** One wildcard of a path template. */
export interface PathParameter {
  name: string;
  /** Field the wildcard is the whole value of; undefined for a part of a longer value, or for no field. */
  readonly field: FieldPath | undefined;
  /** The variable the wildcard is a part of, as the contract writes it; "" for none. */
  readonly partOf: string;
  /** Takes "/" too (a "**" of the template). */
  readonly manySegments: boolean;
}

/** A path template in OpenAPI's form. */
export interface ApiPath {
  /** Alternating literal text and parameters, literal first and last. */
  readonly literals: readonly string[];
  readonly parameters: readonly PathParameter[];
}

/** What the request body holds. */
export interface Body {
  /** The field whose value is the body; undefined for the rest of the request message. */
  readonly field: DescField | undefined;
  /** Fields inside the body that the path gives already. */
  readonly inPath: readonly FieldPath[];
}

/** One HTTP binding of one method. */
export interface Operation {
  /** Unique in the document. */
  readonly id: string;
  readonly method: DescMethod;
  readonly policy: EdgePolicy;
  readonly tag: string;
  readonly verb: Verb;
  readonly path: ApiPath;
  readonly query: readonly FieldPath[];
  readonly body: Body | undefined;
  /** Field whose value is the reply; undefined for the whole message. */
  readonly responseBody: DescField | undefined;
}

/** A service with at least one binding. */
export interface Tag {
  readonly name: string;
  readonly service: DescService;
}

/** A binding that OpenAPI 3.1 has no words for. */
export interface Unlisted {
  readonly method: string;
  /** HTTP method and path template, as served. */
  readonly binding: string;
  readonly reason: string;
}

/** Everything a document says. */
export interface Api {
  readonly tags: readonly Tag[];
  readonly operations: readonly Operation[];
  readonly unlisted: readonly Unlisted[];
}
