import { bodyOf, type Case, targetOf } from "./case.ts";
import type { Gateway } from "./gateway-process.ts";
import { exchange } from "./raw-http.ts";
import type { RecordedCall, Upstream } from "./upstream.ts";
import { startUpstream } from "./upstream.ts";
import { verdict } from "./verdict.ts";

const TIMEOUT_MS = 60_000;

/** Cases that one gateway process can serve: the same options and rules, or one that must not start. */
export function groupCases(cases: readonly Case[]): Case[][] {
  const groups = Map.groupBy(cases, (one) =>
    one.http ? JSON.stringify(one.config ?? {}) : `refused ${one.id}`,
  );
  return [...groups.values()];
}

/** Starts a gateway in front of an upstream. */
export type StartGateway = (upstreamPort: number, config: Case["config"]) => Promise<Gateway>;

/** @returns failures by case id; cases without one passed */
export async function runGroup(
  group: readonly Case[],
  startGateway: StartGateway,
): Promise<Map<string, string[]>> {
  const failures = new Map<string, string[]>();
  const upstream = await startUpstream();
  const gateway = await startGateway(upstream.port, group[0]?.config);
  try {
    for (const [index, one] of group.entries()) {
      const found = one.http
        ? await runCase(one, { host: "127.0.0.1", port: gateway.port }, upstream, group[index - 1], gateway)
        : await refused(one, gateway);
      if (found.length > 0) failures.set(one.id, found);
    }
  } finally {
    await gateway.stop();
    await upstream.close();
  }
  return failures;
}

/**
 * One case against a gateway that runs.
 * @param before the case that ran just before
 */
export async function runCase(
  one: Case,
  target: { host: string; port: number },
  upstream: Upstream,
  before?: Case,
  gateway?: Gateway,
): Promise<string[]> {
  if (gateway && !(await gateway.ready()))
    return [`the gateway does not run: ${gateway.output().slice(-300)}`];
  upstream.calls.length = 0;
  const { method, url, headers, body } = one.http!;
  const bytes = bodyOf(body);
  const fields = Object.entries(headers).flatMap(([name, value]) =>
    [value].flat().map((text) => [name, text] as const),
  );
  const has = (name: string): boolean => fields.some(([key]) => key.toLowerCase() === name);
  const framing = has("content-length") || has("transfer-encoding");
  const all = [
    ...(has("host") ? [] : [["host", `${target.host}:${target.port}`] as const]),
    ...fields,
    ...(bytes && !framing ? [["content-length", String(bytes.length)] as const] : []),
  ];
  const answer = await exchange(
    target.host,
    target.port,
    { method, target: targetOf(url), headers: all, body: bytes },
    TIMEOUT_MS,
  );
  const calls = await settled(one, upstream.calls);
  // A call that the case before gave up in the middle may be recorded only now; it comes first.
  const lingers = before?.expect.http_status !== undefined && before.expect.http_status >= 400;
  return verdict(one, answer, lingers ? calls.slice(-1) : calls);
}

/** The record may come a little after the answer. */
async function settled(one: Case, calls: RecordedCall[]): Promise<readonly RecordedCall[]> {
  const { rpc_request_json: request, rpc_requests_json: requests, rpc_metadata: metadata } = one.expect;
  const wanted = (request ?? requests ?? metadata) !== undefined;
  for (let turn = 0; turn < 5_000 && wanted && calls.length === 0; turn++)
    await new Promise((resolve) => setTimeout(resolve, 2));
  return calls;
}

/** The gateway must end by itself and say which rule it does not take. */
async function refused(one: Case, gateway: Gateway): Promise<string[]> {
  if (await gateway.ready()) return ["started, want its rules refused"];
  const code = await gateway.exited();
  if (code === 0 || code === null) return [`ended with code ${code}, want a refusal`];
  const quotable = JSON.stringify(one.config).match(/[\w./{}*:=%-]{3,}/g) ?? [];
  return quotable.some((text) => gateway.output().includes(text)) || /selector/.test(gateway.output())
    ? []
    : [`does not say what is wrong: ${gateway.output().slice(-200)}`];
}
