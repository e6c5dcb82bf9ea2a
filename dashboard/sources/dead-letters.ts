/** Dead letters of several services, asked one by one: each keeps its own. */
import { type Client, Code, ConnectError } from "@connectrpc/connect";
import type { DeadLetter, DeadLetter_State, DeadLetterService } from "#gen/weft/events/v1/dead_letters_pb.ts";

/** The dead letters of one service. */
export interface DeadLetterSource {
  readonly service: string;
  readonly client: Client<typeof DeadLetterService>;
}

/** A dead letter and the service that has it. */
export interface FoundDeadLetter {
  readonly service: string;
  readonly letter: DeadLetter;
}

/** Which dead letters. */
export interface DeadLetterFilter {
  readonly states: readonly DeadLetter_State[];
  /** Only those of this consumer; empty: any. */
  readonly consumer: string;
  /** Most of them of each service. */
  readonly limit?: number;
}

/** A service could not be asked; the message names it and says why. */
export class CannotAsk extends Error {}

/** Those of one service, newest first. @throws CannotAsk */
export async function deadLettersOf(
  { service, client }: DeadLetterSource,
  { states, consumer, limit = Number.POSITIVE_INFINITY }: DeadLetterFilter,
): Promise<FoundDeadLetter[]> {
  const found: FoundDeadLetter[] = [];
  let pageToken = "";
  do {
    const page = await client
      .listDeadLetters({ states: [...states], consumer, pageSize: 100, pageToken })
      .catch(orNothing(service, { deadLetters: [], nextPageToken: "" }));
    found.push(...page.deadLetters.map((letter) => ({ service, letter })));
    pageToken = page.nextPageToken;
  } while (pageToken && found.length < limit);
  return found.slice(0, limit);
}

/** Those of all services, newest first. @throws CannotAsk */
export async function allDeadLetters(
  sources: readonly DeadLetterSource[],
  filter: DeadLetterFilter,
): Promise<FoundDeadLetter[]> {
  const found = await Promise.all(sources.map((source) => deadLettersOf(source, filter)));
  return newestFirst(found.flat());
}

/** Ids are UUIDv7: they grow with time. */
export function newestFirst(found: readonly FoundDeadLetter[]): FoundDeadLetter[] {
  return found.toSorted((a, b) => (a.letter.id < b.letter.id ? 1 : -1));
}

/** A dead letter by its id, in whichever service has it; undefined when none has. @throws CannotAsk */
export async function findDeadLetter(
  sources: readonly DeadLetterSource[],
  id: string,
): Promise<FoundDeadLetter | undefined> {
  for (const { service, client } of sources) {
    const letter = await client.getDeadLetter({ id }).catch((error: unknown) => {
      if (error instanceof ConnectError && error.code === Code.NotFound) return undefined;
      return orNothing(service, undefined)(error);
    });
    if (letter) return { service, letter };
  }
  return undefined;
}

/** A service that consumes no events has no dead letters; one that cannot be asked is a failure. */
function orNothing<T>(service: string, nothing: T): (error: unknown) => T {
  return (error) => {
    const { code, rawMessage } = ConnectError.from(error);
    if (code === Code.Unimplemented) return nothing;
    throw new CannotAsk(`${service} cannot be asked: ${rawMessage}`);
  };
}
