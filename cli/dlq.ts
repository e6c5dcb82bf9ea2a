/** `weft dlq`: dead letters of all services. */
import { userInfo } from "node:os";
import { parseArgs } from "node:util";
import { toJson } from "@bufbuild/protobuf";
import { type Client, Code, ConnectError } from "@connectrpc/connect";
import {
  type DeadLetter,
  DeadLetter_State,
  DeadLetterSchema,
  DeadLetterService,
} from "#gen/weft/events/v1/dead_letters_pb.ts";
import { details, table } from "./print-dead-letters.ts";
import { type Command, CommandFailed, type Io, WrongUsage } from "./run-command-line.ts";
import { findServices, servicesUsage } from "./services.ts";

const usage = `usage: weft dlq list [--state STATE] [--consumer NAME]
       weft dlq show ID
       weft dlq replay ID ... | --all [--consumer NAME]
       weft dlq drop ID ...

  list     dead letters that are open, newest first
  show     the event, its headers, and every failure
  replay   handle events again, from what their service has kept; safe to repeat
  drop     never handle them

  --state STATE      open (default), retrying, replayed, dropped or all
  --consumer NAME    only those of one consumer, such as reader__book_lent
  --service NAME     look in one service only
  --all              every dead letter that is open
  --actor NAME       who does it, for the record (default: the user of this machine)
  --json             one JSON object a line
  --data DIR         data of the local runner

${servicesUsage}`;

const states: Record<string, DeadLetter_State[]> = {
  retrying: [DeadLetter_State.RETRYING],
  open: [DeadLetter_State.OPEN],
  replayed: [DeadLetter_State.REPLAYED],
  dropped: [DeadLetter_State.DROPPED],
  all: [
    DeadLetter_State.RETRYING,
    DeadLetter_State.OPEN,
    DeadLetter_State.REPLAYED,
    DeadLetter_State.DROPPED,
  ],
};

/** A dead letter and the service that has it. */
export interface Found {
  readonly service: string;
  readonly letter: DeadLetter;
}

/** The dead letters of one service. */
interface Source {
  readonly service: string;
  readonly client: Client<typeof DeadLetterService>;
}

export const dlq: Command = {
  name: "dlq",
  summary: "dead letters: lists events that could not be handled, replays or drops them",
  usage,
  async run(args, io) {
    const { values, positionals } = parse(args);
    const [action, ...ids] = positionals;
    const sources = await sourcesFor(values, io);
    const print = ({ service, letter }: Found) =>
      io.out(
        values.json
          ? JSON.stringify({ service, ...(toJson(DeadLetterSchema, letter) as object) })
          : details(service, letter),
      );
    switch (action) {
      case "list":
        return list(sources, values, io);
      case "show":
        for (const id of some(ids)) print(await find(sources, id));
        return 0;
      case "replay":
      case "drop": {
        const chosen =
          values.all && action === "replay"
            ? await allOf(sources, states.open as DeadLetter_State[], values.consumer)
            : await Promise.all(some(ids).map((id) => find(sources, id)));
        return settle(action, chosen, sources, { actor: values.actor ?? userInfo().username, print, io });
      }
      default:
        throw new WrongUsage(action ? `there is no "dlq ${action}"` : "say what to do");
    }
  },
};

type Values = ReturnType<typeof parse>["values"];

function parse(args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        state: { type: "string", default: "open" },
        consumer: { type: "string" },
        service: { type: "string" },
        all: { type: "boolean" },
        actor: { type: "string" },
        json: { type: "boolean" },
        data: { type: "string", default: ".weft" },
      },
    });
  } catch (error) {
    throw new WrongUsage((error as Error).message);
  }
}

function some(ids: string[]): string[] {
  if (ids.length === 0) throw new WrongUsage("name a dead letter by its ID");
  return ids;
}

async function sourcesFor({ data, service }: Values, io: Io): Promise<Source[]> {
  const { names, client } = await findServices(data, io.env);
  if (service && !names.includes(service))
    throw new WrongUsage(`there is no service "${service}"; there are ${names.join(", ")}`);
  return (service ? [service] : names).map((name) => ({
    service: name,
    client: client(DeadLetterService, name),
  }));
}

async function list(sources: Source[], { state, consumer, json }: Values, io: Io): Promise<number> {
  const wanted = states[state];
  if (!wanted) throw new WrongUsage(`--state must be one of ${Object.keys(states).join(", ")}`);
  const found = await allOf(sources, wanted, consumer);
  if (json) {
    for (const { service, letter } of found)
      io.out(JSON.stringify({ service, ...(toJson(DeadLetterSchema, letter) as object) }));
  } else if (found.length > 0) io.out(table(found));
  else io.err(`no dead letters${state === "all" ? "" : ` are ${state}`}`);
  return 0;
}

/** Every dead letter in one of the states, newest first. */
async function allOf(sources: Source[], wanted: DeadLetter_State[], consumer = ""): Promise<Found[]> {
  const perService = await Promise.all(
    sources.map(async ({ service, client }) => {
      const found: Found[] = [];
      let pageToken = "";
      do {
        const page = await client
          .listDeadLetters({ states: wanted, consumer, pageSize: 100, pageToken })
          .catch(orNothing(service, { deadLetters: [], nextPageToken: "" }));
        found.push(...page.deadLetters.map((letter) => ({ service, letter })));
        pageToken = page.nextPageToken;
      } while (pageToken);
      return found;
    }),
  );
  return perService.flat().toSorted((a, b) => (a.letter.id < b.letter.id ? 1 : -1));
}

/** A dead letter by its id, in whichever service has it. */
async function find(sources: Source[], id: string): Promise<Found> {
  for (const { service, client } of sources) {
    const letter = await client.getDeadLetter({ id }).catch((error: unknown) => {
      if (error instanceof ConnectError && error.code === Code.NotFound) return undefined;
      return orNothing(service, undefined)(error);
    });
    if (letter) return { service, letter };
  }
  throw new CommandFailed(`no service has a dead letter ${id}`);
}

/** Replays or drops one after the other: what fails does not keep the rest. */
async function settle(
  action: "replay" | "drop",
  chosen: Found[],
  sources: Source[],
  { actor, print, io }: { actor: string; print: (found: Found) => void; io: Io },
): Promise<number> {
  let failures = 0;
  for (const { service, letter } of chosen.toReversed()) {
    const { client } = sources.find((source) => source.service === service) as Source;
    const request = { id: letter.id, actor };
    try {
      const settled = await (action === "replay"
        ? client.replayDeadLetter(request)
        : client.dropDeadLetter(request));
      print({ service, letter: settled });
    } catch (error) {
      failures++;
      io.err(`${letter.id}: ${ConnectError.from(error).rawMessage}`);
    }
  }
  io.err(`${chosen.length - failures} of ${chosen.length} ${action === "replay" ? "replayed" : "dropped"}`);
  return failures > 0 ? 1 : 0;
}

/** A service that consumes no events has no dead letters; one that cannot be asked is a failure. */
function orNothing<T>(service: string, nothing: T): (error: unknown) => T {
  return (error) => {
    const { code, rawMessage } = ConnectError.from(error);
    if (code === Code.Unimplemented) return nothing;
    throw new CommandFailed(`${service} cannot be asked: ${rawMessage}`);
  };
}
