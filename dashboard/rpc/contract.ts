import { readFileSync } from "node:fs";
import { create, type JsonObject } from "@bufbuild/protobuf";
import type { ServiceImpl } from "@connectrpc/connect";
import {
  type Contract,
  type ContractMethod,
  ContractMethodSchema,
  ContractSchema,
  ContractMethod_Kind as Kind,
} from "#gen/weft/dashboard/v1/contract_pb.ts";
import type { DashboardService } from "#gen/weft/dashboard/v1/dashboard_pb.ts";
import { aboutOf } from "../../mesh/codegen/weft/contract/about.ts";
import type { MeshMethod } from "../../mesh/codegen/weft/contract/model.ts";
import {
  accessWords,
  breakerWords,
  callerWords,
  moreWords,
  retryWords,
  sloWords,
  time,
} from "../../mesh/codegen/weft/targets/docs/policy-words.ts";
import type { Sources } from "../sources/sources.ts";

export function contractRpc(sources: Sources) {
  // It does not change while the process runs.
  let made: Contract | undefined;
  return {
    getContract: () => {
      made ??= contractOf(sources);
      return made;
    },
  } satisfies Partial<ServiceImpl<typeof DashboardService>>;
}

const kinds = {
  unary: Kind.UNARY,
  server_streaming: Kind.SERVER_STREAMING,
  client_streaming: Kind.CLIENT_STREAMING,
  bidi_streaming: Kind.BIDI_STREAMING,
} as const;

function contractOf({ contract: { version, contract }, config }: Sources): Contract {
  const { table, notes } = readCoverage(config.system.coverage);
  const own = contract.services.flatMap(({ name, contracts, methods }) =>
    contracts.map((desc) => ({
      name,
      desc,
      methods: methods.filter((method) => method.desc.parent === desc),
    })),
  );
  const shared = contract.services[0]?.methods.filter((method) => method.shared) ?? [];
  const sharedDescs = [...new Set(shared.map(({ desc }) => desc.parent))];
  const everywhere = sharedDescs.map((desc) => ({
    name: "*",
    desc,
    methods: shared.filter((method) => method.desc.parent === desc),
  }));
  return create(ContractSchema, {
    version,
    services: [...own, ...everywhere].map(({ name, desc, methods }) => ({
      name,
      fullName: desc.typeName,
      about: aboutOf(desc),
      methods: methods.map(methodOf),
    })),
    events: contract.events.map((event) => ({
      subject: event.subject,
      type: event.type,
      about: event.about,
      publisher: event.publisher,
      stream: event.stream,
      key: event.key,
      consumers: event.consumers.map(({ service, durable, maxDeliver, backoffMs }) => ({
        service,
        durable,
        maxDeliver,
        backoffMs: [...backoffMs],
      })),
    })),
    coverage: table,
    coverageNotes: notes,
  });
}

export function kindOf(desc: MeshMethod["desc"]): Kind {
  return kinds[desc.methodKind];
}

function methodOf(method: MeshMethod): ContractMethod {
  const { desc, policy } = method;
  return create(ContractMethodSchema, {
    name: method.name,
    fullName: method.path.slice(1),
    about: method.about,
    kind: kindOf(desc),
    input: desc.input.typeName,
    output: desc.output.typeName,
    rest: [...method.rest],
    callers: [...policy.callers],
    access: accessWords(policy),
    timeoutMs: policy.timeoutMs,
    idempotent: method.idempotent,
    idempotencyKeyRequired: policy.idempotencyKeyRequired,
    policy: policyWords(method),
  });
}

/** The policy in words, by what it is about; what does not hold for the method is left out. */
function policyWords(method: MeshMethod): JsonObject {
  const { policy } = method;
  const { concurrency } = policy;
  return Object.fromEntries(
    Object.entries({
      access: accessWords(policy),
      callers: callerWords(policy),
      timeout: time(policy.timeoutMs),
      retry: retryWords(policy),
      breaker: breakerWords(policy),
      concurrency: `${concurrency.limit} in flight, ${concurrency.queue} waiting; at the edge ${concurrency.edgeLimit}`,
      objective: sloWords(policy),
      more: moreWords(method),
    }).filter(([, words]) => words !== ""),
  );
}

/** The generator's report (Markdown): its table, and the list of particulars below it. */
function readCoverage(file: string): {
  table: { columns: string[]; rows: { cells: string[] }[] };
  notes: string[];
} {
  let text = "";
  try {
    text = readFileSync(file, "utf8");
  } catch {
    return { table: { columns: [], rows: [] }, notes: [] }; // not every system generates one
  }
  const rows = text
    .split("\n")
    .filter((line) => line.startsWith("| ") && !/^[| -]+$/.test(line))
    .map((line) =>
      line
        .slice(2, -2)
        .split(" | ")
        .map((cell) => cell.trim().replace(/^`(.*)`$/, "$1")),
    );
  const [columns = [], ...cells] = rows;
  const notes = text
    .split("\n")
    .filter((line) => line.startsWith("- "))
    .map((line) => line.slice(2));
  return { table: { columns, rows: cells.map((row) => ({ cells: row })) }, notes };
}
