/** `weft dlq`: dead letters of all services. */
import { userInfo } from "node:os";
import { parseArgs } from "node:util";
import { toJson } from "@bufbuild/protobuf";
import { ConnectError } from "@connectrpc/connect";
import {
  allDeadLetters,
  CannotAsk,
  type DeadLetterSource,
  type FoundDeadLetter,
  findDeadLetter,
} from "#dashboard/sources/dead-letters.ts";
import {
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

export const dlq: Command = {
  name: "dlq",
  summary: "dead letters: lists events that could not be handled, replays or drops them",
  usage,
  async run(args, io) {
    const { values, positionals } = parse(args);
    const [action, ...ids] = positionals;
    const sources = await sourcesFor(values, io);
    const print = ({ service, letter }: FoundDeadLetter) =>
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
            ? await allDeadLetters(sources, { states: states.open!, consumer: values.consumer ?? "" }).catch(
                inWords,
              )
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

async function sourcesFor({ data, service }: Values, io: Io): Promise<DeadLetterSource[]> {
  const { names, client } = await findServices(data, io.env);
  if (service && !names.includes(service))
    throw new WrongUsage(`there is no service "${service}"; there are ${names.join(", ")}`);
  return (service ? [service] : names).map((name) => ({
    service: name,
    client: client(DeadLetterService, name),
  }));
}

async function list(sources: DeadLetterSource[], { state, consumer, json }: Values, io: Io): Promise<number> {
  const wanted = states[state];
  if (!wanted) throw new WrongUsage(`--state must be one of ${Object.keys(states).join(", ")}`);
  const found = await allDeadLetters(sources, { states: wanted, consumer: consumer ?? "" }).catch(inWords);
  if (json) {
    for (const { service, letter } of found)
      io.out(JSON.stringify({ service, ...(toJson(DeadLetterSchema, letter) as object) }));
  } else if (found.length > 0) io.out(table(found));
  else io.err(`no dead letters${state === "all" ? "" : ` are ${state}`}`);
  return 0;
}

/** A dead letter by its id, in whichever service has it. */
async function find(sources: readonly DeadLetterSource[], id: string): Promise<FoundDeadLetter> {
  const found = await findDeadLetter(sources, id).catch(inWords);
  if (!found) throw new CommandFailed(`no service has a dead letter ${id}`);
  return found;
}

function inWords(error: unknown): never {
  throw error instanceof CannotAsk ? new CommandFailed(error.message) : error;
}

/** Replays or drops one after the other: what fails does not keep the rest. */
async function settle(
  action: "replay" | "drop",
  chosen: FoundDeadLetter[],
  sources: DeadLetterSource[],
  { actor, print, io }: { actor: string; print: (found: FoundDeadLetter) => void; io: Io },
): Promise<number> {
  let failures = 0;
  for (const { service, letter } of chosen.toReversed()) {
    const { client } = sources.find((source) => source.service === service) as DeadLetterSource;
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
