/** Policies that admit more than before, ask for more than before, or give less. */
import type { AccessRule, Policy, RateRule } from "../../codegen/weft/contract/model.ts";
import type { Change, TouchedCallers } from "../change.ts";
import { isSensitive, nameOf, type Rpc, type Surface } from "../surface.ts";
import { at } from "./at.ts";

export function comparePolicies(before: Surface, now: Surface): Change[] {
  const methods = [...before.rpcs.values()].flatMap((was) => {
    const is = now.rpcs.get(nameOf(was.desc));
    return is ? [...users(was, is), ...callers(was, is), ...promises(was, is), ...limits(was, is)] : [];
  });
  return [...methods, ...secrets(before, now)];
}

type Note = (id: string, means: string, only?: TouchedCallers) => Change;
const noting =
  (was: Rpc, is: Rpc): Note =>
  (id, means, only) =>
    at(nameOf(was.desc), is.desc, id, means, { kind: "rpc", rpc: was.desc, ...(only && { only }) });
const opening =
  (was: Rpc, is: Rpc) =>
  (id: string, means: string): Change =>
    at(nameOf(was.desc), is.desc, id, means, { kind: "nobody" });

function users(was: Rpc, is: Rpc): Change[] {
  const [old, now] = [was.policy.access, is.policy.access];
  if (words(old) === words(now)) return [];
  const note = noting(was, is);
  if (old.kind === now.kind && old.ownedBy === now.ownedBy) {
    const lost = old.roles.filter((role) => !now.roles.includes(role));
    const won = now.roles.filter((role) => !old.roles.includes(role));
    return [
      ...lost.map((role) =>
        note(`role ${role}`, `the role "${role}" may not call any more`, { roles: [role] }),
      ),
      ...won.map((role) => opening(was, is)(`role ${role}`, `opened to the role "${role}"`)),
    ];
  }
  const means = `users: was ${words(old)}, is ${words(now)}`;
  return [
    openness[now.kind] > openness[old.kind] ? opening(was, is)("access", means) : note("access", means),
  ];
}

/** What admits more has more. Services only, and an owner, are no wider than each other: both are reported. */
const openness: Record<AccessRule["kind"], number> = {
  service_only: 0,
  owner: 1,
  roles: 1,
  signed_in: 2,
  public: 3,
};

function words({ kind, roles, ownedBy }: AccessRule): string {
  const names = roles.length > 0 ? ` (${roles.join(", ")})` : "";
  return `${kind.replace("_", " ")}${ownedBy ? ` by ${ownedBy}` : ""}${names}`;
}

function callers(was: Rpc, is: Rpc): Change[] {
  const [old, now] = [was.policy.callers, is.policy.callers];
  const lost = old.includes("*") ? [] : old.filter((name) => !now.includes(name) && !now.includes("*"));
  const won = old.includes("*") ? [] : now.filter((name) => !old.includes(name));
  const closed = old.includes("*") && !now.includes("*");
  return [
    ...lost.map((name) =>
      noting(was, is)(`caller ${name}`, `"${name}" may not call any more`, { callers: [name] }),
    ),
    ...(closed ? [noting(was, is)("caller *", "callers without an identity may not call any more")] : []),
    ...won.map((name) => opening(was, is)(`caller ${name}`, `opened to "${name}"`)),
  ];
}

function promises(was: Rpc, is: Rpc): Change[] {
  const note = noting(was, is);
  const [old, now] = [was.policy, is.policy];
  return [
    ...(now.timeoutMs < old.timeoutMs
      ? [note("timeout", `ends after ${now.timeoutMs} ms, not ${old.timeoutMs} ms`)]
      : []),
    ...(was.idempotent && !is.idempotent ? [note("idempotency", "may not be repeated any more")] : []),
    ...(old.idempotencyKeyRequired && !now.idempotencyKeyRequired
      ? [note("idempotency key", "repeated keys are not recognised any more: a retry has its effect twice")]
      : []),
    ...(!old.idempotencyKeyRequired && now.idempotencyKeyRequired
      ? [note("idempotency key", "calls without Idempotency-Key are refused")]
      : []),
    ...(old.successStatus === now.successStatus
      ? []
      : [note("status", `REST answers ${now.successStatus}, not ${old.successStatus}`, { rest: true })]),
  ];
}

function limits(was: Rpc, is: Rpc): Change[] {
  const note = noting(was, is);
  const lower = (id: string, what: string, of: (policy: Policy) => number) => {
    const [old, now] = [of(was.policy), of(is.policy)];
    return now < old ? [note(id, `${what}: ${now}, not ${old}`)] : [];
  };
  const [old, now] = [was.policy.rateLimit, is.policy.rateLimit];
  return [
    ...lower("request size", "largest request in bytes", (policy) => policy.maxRequestBytes),
    ...lower("concurrency", "calls in flight for each caller", (policy) => policy.concurrency.limit),
    ...lower(
      "concurrency at the edge",
      "calls in flight at the edge",
      (policy) => policy.concurrency.edgeLimit,
    ),
    ...(now && (!old || perSecond(now) < perSecond(old) || now.burst < old.burst)
      ? [note("rate limit", `${rate(now)}, not ${old ? rate(old) : "without a limit"}`)]
      : []),
  ];
}

const perSecond = ({ requests, periodMs }: RateRule) => (requests * 1_000) / periodMs;
const rate = ({ requests, periodMs, burst }: RateRule) =>
  `${requests} in ${periodMs / 1_000} s, ${burst} at once`;

function secrets(before: Surface, now: Surface): Change[] {
  return [...before.messages.values()].flatMap((was) =>
    was.fields.flatMap((field) => {
      const is = now.messages.get(was.typeName)?.fields.find(({ number }) => number === field.number);
      if (!is || !isSensitive(before, field) || isSensitive(now, is)) return [];
      const means = "is not kept out of logs and traces any more";
      return [at(`${was.typeName}.${field.name}`, is, "sensitive", means, { kind: "nobody" })];
    }),
  );
}
