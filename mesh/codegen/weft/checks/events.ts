import { type DescMessage, ScalarType } from "@bufbuild/protobuf";
import type { Problems } from "../contract/problems.ts";
import type { WrittenEvent } from "../contract/read-events.ts";
import { milliseconds } from "../contract/read-policy.ts";

/** An event has a place to go, an order, and readers that exist. */
export function checkEvent(
  { desc, policy }: WrittenEvent,
  names: ReadonlySet<string>,
  publishers: ReadonlyMap<string, readonly string[]>,
  problems: Problems,
): void {
  const add = (option: string, problem: string, instead: string) =>
    problems.add({ desc, option, problem, instead });
  const { package: packageName } = desc.file.proto;
  const proposed = `${packageName}.${desc.name.replace(/(?<=[a-z0-9])(?=[A-Z])/g, "_").toLowerCase()}`;
  if (!publishers.has(packageName))
    add(
      "",
      "belongs to a package without a service: nobody could publish it",
      "it in the package of its service",
    );
  if (policy.subject === "") add("subject", "is missing", `subject: "${proposed}"`);
  else if (!policy.subject.startsWith(`${packageName}.`))
    add("subject", `is "${policy.subject}", outside its package`, `subject: "${proposed}"`);
  else if (!policy.subject.split(".").every((token) => /^[\w-]+$/.test(token)))
    add("subject", `is "${policy.subject}"`, 'parts of letters, digits, "_" and "-", with dots between');

  checkField(desc, "key", policy.key, [ScalarType.STRING], add);
  if (policy.version) checkField(desc, "version", policy.version, [ScalarType.INT64, ScalarType.UINT64], add);
  checkConsumers(policy.consumers, names, add);
}

type Add = (option: string, problem: string, instead: string) => void;

function checkField(
  desc: DescMessage,
  option: string,
  name: string,
  types: readonly ScalarType[],
  add: Add,
): void {
  const fits = desc.fields.filter((field) => field.fieldKind === "scalar" && types.includes(field.scalar));
  if (fits.some((field) => field.name === name)) return;
  const wanted = types.map((type) => ScalarType[type].toLowerCase()).join(" or ");
  const candidates = fits.map((field) => `"${field.name}"`).join(", ");
  add(
    option,
    name ? `is "${name}", which is no field of type ${wanted}` : "is missing",
    candidates ? `one of ${candidates}` : `the name of a field of type ${wanted}, which the message lacks`,
  );
}

function checkConsumers(
  consumers: WrittenEvent["policy"]["consumers"],
  names: ReadonlySet<string>,
  add: Add,
): void {
  const seen = new Set<string>();
  for (const { service, backoff, ackWait } of consumers) {
    if (!names.has(service))
      add(
        "consumers",
        `names "${service}", which is no service of the contract`,
        `one of ${[...names]
          .sort()
          .map((name) => `"${name}"`)
          .join(", ")}`,
      );
    if (seen.has(service)) add("consumers", `names "${service}" twice`, "one entry for each service");
    seen.add(service);
    if ([...backoff, ...(ackWait ? [ackWait] : [])].some((time) => (milliseconds(time) ?? 0) <= 0))
      add("consumers", `gives "${service}" a time that is not above 0`, "times above 0");
  }
}
