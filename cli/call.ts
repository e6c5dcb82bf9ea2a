/** `weft call`: calls any method of the contract. */
import { toJson } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { CallPartSchema, CallRequest_Via as Via } from "#gen/weft/dashboard/v1/explorer_pb.ts";
import { dashboardClient, dashboardUsage, readArguments } from "./dashboard-client.ts";
import { durationOf, milliseconds } from "./print-table.ts";
import { type Command, WrongUsage } from "./run-command-line.ts";

export const call: Command = {
  name: "call",
  summary: "calls any method of the contract",
  usage: `usage: weft call METHOD [JSON ...]

METHOD is pkg.v1.Service/Method, or Service/Method or Method where that is clear. Each JSON is a request; without one it is {}.

  --user NAME        sign in as this account of the development seed
  --direct           ask the service itself, not the edge
  --service NAME     ask this one, where every service has the method
  --header NAME=TEXT a header; may be repeated
  --timeout DURATION such as 2s (default: the method's own)
  --example          print a request to start from, and do not call
${dashboardUsage}`,
  async run(args, io) {
    const { values, positionals } = readArguments(args, {
      user: { type: "string", default: "" },
      direct: { type: "boolean" },
      service: { type: "string", default: "" },
      header: { type: "string", multiple: true, default: [] },
      timeout: { type: "string" },
      example: { type: "boolean" },
    });
    const [name, ...messages] = positionals;
    if (!name) throw new WrongUsage("name a method");
    const client = dashboardClient(values.data, io.env);
    const { services } = await client.getContract({});
    const methods = services.flatMap((service) => service.methods.map(({ fullName }) => fullName));
    const method = fullNameOf(name, methods);
    if (values.example) {
      io.out((await client.getMethodForm({ method })).example);
      return 0;
    }
    const timeoutMs = values.timeout === undefined ? undefined : durationOf(values.timeout);
    if (values.timeout !== undefined && timeoutMs === undefined)
      throw new WrongUsage("--timeout must be a duration such as 500ms or 2s");
    let code = 1;
    const parts = client.call({
      method,
      messages,
      user: values.user,
      service: values.service,
      via: values.direct ? Via.DIRECT : Via.VIA_UNSPECIFIED,
      headers: Object.fromEntries(values.header.map(readHeader)),
      timeout: timeoutMs === undefined ? undefined : durationFromMs(timeoutMs),
    });
    for await (const each of parts) {
      if (values.json) io.out(JSON.stringify(toJson(CallPartSchema, each)));
      const { part } = each;
      if (part.case === "begun") io.err(`trace ${part.value.traceId}`);
      if (part.case === "message" && !values.json) io.out(part.value.json);
      if (part.case === "end") {
        const { code: status, message, details, durationMs } = part.value;
        io.err(`${status}${message ? `: ${message}` : ""} after ${milliseconds(durationMs)}`);
        if (!values.json) for (const detail of details) io.err(detail);
        code = status === "OK" ? 0 : 1;
      }
    }
    return code;
  },
};

/** The one method whose name is this, or ends so: "Service/Method" or "Method". @throws WrongUsage when there is none, or more than one */
export function fullNameOf(name: string, methods: readonly string[]): string {
  const found = methods.filter(
    (each) => each === name || each.endsWith(`.${name}`) || each.endsWith(`/${name}`),
  );
  if (found.length === 1) return found[0]!;
  const near = methods.filter((each) => each.toLowerCase().includes(name.toLowerCase())).slice(0, 8);
  const hint = (found.length > 0 ? found : near).map((each) => `\n  ${each}`).join("");
  throw new WrongUsage(
    `${found.length > 1 ? "several methods are" : "no method is"} called "${name}"${hint}`,
  );
}

function readHeader(text: string): [string, string] {
  const [, name, value] = /^([\w-]+)=(.*)$/s.exec(text) ?? [];
  if (name === undefined || value === undefined)
    throw new WrongUsage(`--header must be NAME=TEXT, not ${text}`);
  return [name.toLowerCase(), value];
}
