import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { canHaveReplicas, mostReplicas, placesFor, processNames, type System } from "./topology.ts";

export type Options = {
  /** All services in TypeScript and the edge in one process; others beside it. */
  single: boolean;
  /** How many processes a service gets; one where it is not listed. */
  replicas: Map<string, number>;
  /** Language of each service that was asked for in another one than TypeScript. */
  languages: Map<string, string>;
  /** Whether the dashboard is started, if the system has one. */
  dashboard: boolean;
  /** Whether faults may be injected on purpose. */
  faults: boolean;
  /** Folder of everything that is kept between starts. */
  dataDir: string;
  /** Receives a JSON description of the running system, for programs. */
  readyFile: string | undefined;
  portOffset: number;
  /** Services whose database is elsewhere. */
  databaseUrls: Map<string, string>;
  /** A bus elsewhere. */
  natsUrl: string | undefined;
  help: boolean;
};

/** Wrong arguments or environment; the message says which and why. */
export class WrongOption extends Error {}

export const usage = `usage: npm start -- [--single | --replicas NAME=N --impl NAME=LANGUAGE] [--data DIR] [--ready-file FILE]

  --single           all services in TypeScript and the edge in one process
  --replicas NAME=N  N processes of the service NAME, 1 to ${mostReplicas}; may be repeated
  --impl NAME=LANGUAGE
                     the service NAME in another language than TypeScript; may be repeated
  --no-dashboard     without the dashboard, and without collecting traces
  --data DIR         where data, logs and mails are kept (default .weft)
  --ready-file FILE  write a JSON description of the running system

environment:
  WEFT_PORT_OFFSET        added to every port: for a second system beside the first
  DATABASE_URL_<SERVICE>  a PostgreSQL database of yours, e.g. DATABASE_URL_ORDER
  NATS_URL                a nats-server of yours, with JetStream
  NATS_SERVER_BIN         the nats-server to run
  WEFT_IMPL               what --impl says, where that is left out: inventory=go,email=python
  WEFT_FAULTS             allow (default) or deny faults injected on purpose
  LOG_LEVEL               trace, debug, info, warn or error`;

/**
 * Reads command line and environment.
 *
 * @throws WrongOption
 */
export function readOptions(system: System, args: string[], env: NodeJS.ProcessEnv): Options {
  const values = parse(args);
  const replicas = readReplicas(system, values.replicas ?? []);
  if (values.single && replicas.size > 0)
    throw new WrongOption("--replicas needs a process for each service: leave --single out.");
  const languages = readLanguages(system, values.impl, env.WEFT_IMPL);
  if (values.single && languages.size > 0)
    throw new WrongOption(
      "--single is one process of TypeScript services: leave it out, or --impl (and WEFT_IMPL).",
    );
  return {
    single: values.single ?? false,
    replicas,
    languages,
    dashboard: !values["no-dashboard"],
    faults: readFaults(env.WEFT_FAULTS),
    dataDir: resolve(values.data ?? ".weft"),
    readyFile: values["ready-file"] && resolve(values["ready-file"]),
    portOffset: readOffset(system, replicas, env.WEFT_PORT_OFFSET),
    databaseUrls: new Map(
      system.services.flatMap(({ name }) => {
        const variable = `DATABASE_URL_${name.toUpperCase().replaceAll("-", "_")}`;
        return env[variable] ? [[name, readUrl(variable, env[variable], ["postgres:", "postgresql:"])]] : [];
      }),
    ),
    natsUrl: env.NATS_URL ? readUrl("NATS_URL", env.NATS_URL, ["nats:", "tls:"]) : undefined,
    help: values.help ?? false,
  };
}

function parse(args: string[]) {
  try {
    return parseArgs({
      args,
      options: {
        single: { type: "boolean" },
        replicas: { type: "string", multiple: true },
        impl: { type: "string", multiple: true },
        data: { type: "string" },
        "no-dashboard": { type: "boolean" },
        "ready-file": { type: "string" },
        help: { type: "boolean", short: "h" },
      },
    }).values;
  } catch (error) {
    throw new WrongOption(`${(error as Error).message}\n\n${usage}`);
  }
}

function readReplicas(system: System, given: string[]): Map<string, number> {
  return new Map(
    given.map((text) => {
      const [, name = "", count] = /^([^=]*)=(\d{1,3})$/.exec(text) ?? [];
      const number = Number(count);
      if (canHaveReplicas(system, name) && number >= 1 && number <= mostReplicas) return [name, number];
      const names = processNames(system)
        .filter((each) => canHaveReplicas(system, each))
        .join(", ");
      throw new WrongOption(
        `--replicas ${text}: it must be NAME=N, with N from 1 to ${mostReplicas} and NAME one of ${names}.`,
      );
    }),
  );
}

/**
 * Language by service, without those in TypeScript.
 *
 * @param given by `--impl`; `variable` counts where there is none
 * @throws WrongOption
 */
export function readLanguages(
  { services }: System,
  given: string[] | undefined,
  variable = "",
): Map<string, string> {
  const option = given ? "--impl" : "WEFT_IMPL";
  const languages = new Map<string, string>();
  for (const text of given ?? variable.split(",").filter(Boolean)) {
    const [, name, language] = /^([\w-]+)=([\w-]+)$/.exec(text) ?? [];
    const wrong = (reason: string) => new WrongOption(`${option} ${text}: ${reason}.`);
    if (!name || !language) throw wrong("it must be NAME=LANGUAGE, such as inventory=go");
    const service = services.find((each) => each.name === name);
    if (!service)
      throw wrong(`there is no service ${name}; there are ${services.map((each) => each.name).join(", ")}`);
    const has = [
      ...(service.entry === undefined ? [] : ["typescript"]),
      ...Object.keys(service.implementations ?? {}),
    ];
    if (!has.includes(language)) throw wrong(`${name} is there in ${has.join(", ")}, not in ${language}`);
    if (languages.has(name)) throw wrong(`${name} has a language already`);
    languages.set(name, language);
  }
  return new Map([...languages].filter(([, language]) => language !== "typescript"));
}

function readOffset(system: System, replicas: Map<string, number>, text = "0"): number {
  const highest = 65_535 - Math.max(...placesFor(system, 0, replicas).all.map(({ port }) => port));
  const offset = Number(text);
  if (Number.isInteger(offset) && offset >= 0 && offset <= highest) return offset;
  throw new WrongOption(
    `WEFT_PORT_OFFSET is ${JSON.stringify(text)}: it must be a whole number from 0 to ${highest}.`,
  );
}

function readFaults(text = "allow"): boolean {
  if (text === "allow" || text === "deny") return text === "allow";
  throw new WrongOption(`WEFT_FAULTS is ${JSON.stringify(text)}: it must be allow or deny.`);
}

/** The value is not repeated in the error: it holds a password. */
function readUrl(variable: string, text: string, protocols: string[]): string {
  const url = URL.parse(text);
  if (url && protocols.includes(url.protocol)) return text;
  throw new WrongOption(
    `${variable} must be a URL that starts with ${protocols.map((p) => `${p}//`).join(" or ")}.`,
  );
}
