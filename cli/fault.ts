/** `weft fault`: makes a method fail or slow on purpose. */
import { toJson } from "@bufbuild/protobuf";
import { durationFromMs, durationMs, timestampFromMs } from "@bufbuild/protobuf/wkt";
import { type Fault, FaultSchema } from "#gen/weft/dashboard/v1/faults_pb.ts";
import { fullNameOf } from "./call.ts";
import { dashboardClient, dashboardUsage, readArguments } from "./dashboard-client.ts";
import { clock, durationOf, milliseconds, percent, shareOf, table } from "./print-table.ts";
import { type Command, type Io, WrongUsage } from "./run-command-line.ts";

export const fault: Command = {
  name: "fault",
  summary: "makes a method fail or slow on purpose, in development",
  usage: `usage: weft fault METHOD [--abort SHARE [--code CODE]] [--delay DURATION [--delayed SHARE]] [--for DURATION]
       weft fault list
       weft fault clear [METHOD]

METHOD is pkg.v1.Service/Method, Service/Method where that is clear, or pkg.v1.Service/* for all of a service.

  --abort SHARE      fail this share of the calls, such as 30%
  --code CODE        with this gRPC status (default UNAVAILABLE)
  --delay DURATION   let calls wait, such as 500ms
  --delayed SHARE    only this share of them (default all)
  --for DURATION     for so long, at most 1h (default 10m)
${dashboardUsage}`,
  words: ["list", "clear"],
  async run(args, io) {
    const { values, positionals } = readArguments(args, {
      abort: { type: "string" },
      code: { type: "string", default: "" },
      delay: { type: "string" },
      delayed: { type: "string", default: "100%" },
      for: { type: "string", default: "10m" },
    });
    const [action, named] = positionals;
    if (!action) throw new WrongUsage("name a method, or say list or clear");
    const client = dashboardClient(values.data, io.env);
    const methods = async () =>
      (await client.getContract({})).services.flatMap((service) =>
        service.methods.map(({ fullName }) => fullName),
      );
    const nameOf = async (name: string) => (name.endsWith("/*") ? name : fullNameOf(name, await methods()));
    if (action === "list") {
      const { faults, offBecause } = await client.listFaults({});
      return print(faults, offBecause || "no fault is injected", values.json, io);
    }
    if (action === "clear") {
      const { faults } = await client.clearFaults({ method: named === undefined ? "" : await nameOf(named) });
      return print(faults, "no fault is injected any more", values.json, io);
    }
    const lifeMs = read("for", values.for, durationOf);
    const set = await client.setFault({
      fault: {
        method: await nameOf(action),
        abort:
          values.abort === undefined
            ? undefined
            : { share: read("abort", values.abort, shareOf), code: values.code },
        delay:
          values.delay === undefined
            ? undefined
            : {
                share: read("delayed", values.delayed, shareOf),
                duration: durationFromMs(read("delay", values.delay, durationOf)),
              },
        until: timestampFromMs(Date.now() + lifeMs),
      },
    });
    return print([set], "", values.json, io);
  },
};

function read(name: string, text: string, how: (text: string) => number | undefined): number {
  const value = how(text);
  if (value === undefined)
    throw new WrongUsage(
      `--${name} must be ${how === shareOf ? "a share such as 30%" : "a duration such as 500ms"}`,
    );
  return value;
}

function print(faults: readonly Fault[], none: string, json: boolean | undefined, io: Io): number {
  if (json) for (const each of faults) io.out(JSON.stringify(toJson(FaultSchema, each)));
  else if (faults.length === 0) io.err(none);
  else
    io.out(
      table(
        ["METHOD", "ABORT", "DELAY", "UNTIL", "BY"],
        faults.map(({ method, abort, delay, until, actor }) => [
          method,
          abort ? `${percent(abort.share)} ${abort.code}` : "-",
          delay?.duration ? `${percent(delay.share)} ${milliseconds(durationMs(delay.duration))}` : "-",
          clock(until),
          actor,
        ]),
      ),
    );
  return 0;
}
