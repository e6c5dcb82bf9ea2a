/**
 * The schemas under components: each message and enum once, made when it is first referred to.
 *
 * Names are the full names of the contract, so that a new message never renames another. A message that goes both
 * ways has two schemas; that of requests then has "-request" behind its name, which no Protobuf name can have.
 */
import type { DescEnum, DescMessage } from "@bufbuild/protobuf";
import type { Direction } from "./direction.ts";
import type { Schema } from "./json.ts";

type Described = DescMessage | DescEnum;

export class SchemaBook {
  readonly #schemas = new Map<string, Schema>();
  readonly #uses: Record<Direction, Set<string>> = { request: new Set(), reply: new Set() };
  readonly #known: SchemaBook | undefined;

  /** @param draft book of the same document, made before: it tells which messages go both ways */
  constructor(draft?: SchemaBook) {
    this.#known = draft;
  }

  /** A reference to the schema of a message; `make` is called the first time. */
  message(desc: DescMessage, direction: Direction, make: () => Schema): Schema {
    this.#uses[direction].add(desc.typeName);
    const both = this.#known && direction === "request" && this.#known.#uses.reply.has(desc.typeName);
    return this.#refer(
      both ? `${desc.typeName}-request` : this.#known ? desc.typeName : `${direction} ${desc.typeName}`,
      make,
    );
  }

  /** A reference to a schema that is the same both ways. */
  shared(desc: Pick<Described, "typeName">, make: () => Schema): Schema {
    return this.#refer(desc.typeName, make);
  }

  /** Everything referred to, by name. */
  schemas(): Record<string, Schema> {
    return Object.fromEntries([...this.#schemas].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  #refer(name: string, make: () => Schema): Schema {
    if (!this.#schemas.has(name)) {
      // Taken before it is made: a message may contain itself.
      this.#schemas.set(name, {});
      this.#schemas.set(name, make());
    }
    return { $ref: `#/components/schemas/${name}` };
  }
}
