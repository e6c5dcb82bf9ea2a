import type { Spellings } from "../naming.ts";

/** A language that `weft new service` writes services in. What is between services is the same in all. */
export interface Language {
  /** Template, below template/ → path in the repository; both may hold spellings. Contracts are not here. */
  readonly files: Readonly<Record<string, string>>;
  /** More spellings, for its templates; they may hold those that every template has. */
  spell(spellings: Spellings): Readonly<Record<string, string>>;
  /** The entry in deploy/local/system.ts, and the import of deploy/local that it needs. */
  readonly system: { readonly entry: string; readonly import?: string };
  /** Whether the service can be one of those in the one process of --single. */
  readonly inOneProcess: boolean;
  /** The block of deploy/docker/compose.yaml, from "dockerfile:" on, without what every block has. */
  readonly image: { readonly dockerfile: string; readonly healthcheck?: string };
  /** Language of the stubs that it needs besides those in TypeScript, as in `npm run gen:LANGUAGE`. */
  readonly stubs?: string;
  /** Its own tests, as a line of "what to do next". */
  readonly tests?: string;
  /** Why a name cannot be had in this language; undefined: it can. */
  refuses?(spellings: Spellings): string | undefined;
}
