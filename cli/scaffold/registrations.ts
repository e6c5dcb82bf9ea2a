/**
 * Where a service stands besides its own folders: the only list of them. Each place knows how a service is put in
 * and taken out, in the text of its file; what follows from the contract is generated and not here.
 */
import type { Language } from "./languages/language.ts";
import type { Spellings } from "./naming.ts";
import { fill } from "./templates.ts";

/** A service to enter. */
export type NewService = { spellings: Spellings; port: number; language: Language };

/** A file that lists services. */
export interface Registration {
  /** Path in the repository. A file that is not there needs no entry. */
  readonly path: string;
  add(text: string, service: NewService): string;
  remove(text: string, spellings: Spellings): string;
}

export const registrations: readonly Registration[] = [
  {
    path: "deploy/local/system.ts",
    add: (text, { spellings, port, language: { system } }) =>
      before(
        withImport(oneServiceALine(text), system.import),
        /^ {2}\],\n {2}edge: /m,
        fill(system.entry, { ...spellings, port: String(port) }),
      ),
    remove: (text, { name }) =>
      withoutUnusedImports(
        without(
          oneServiceALine(text),
          new RegExp(
            `^ {4}\\{ name: "${name}",.*\\},\\n|^ {4}\\{\\n {6}name: "${name}",\\n(?: {6}.*\\n)* {4}\\},\\n`,
            "m",
          ),
        ),
      ),
  },
  {
    path: "deploy/local/single.ts",
    add: (text, { spellings, language }) =>
      language.inOneProcess
        ? withDefinitions(before(text, /^\nconst definitions: /m, importOf(spellings)), (list) => [
            ...list,
            spellings.ident,
          ])
        : text,
    remove: (text, spellings) =>
      withDefinitions(text.replace(importOf(spellings), ""), (list) =>
        list.filter((ident) => ident !== spellings.ident),
      ),
  },
  {
    path: "deploy/docker/compose.yaml",
    add: (text, { spellings, language }) =>
      before(text, /^ {2}edge:\n/m, composeBlock(spellings, language)).replace(
        edgeUpstreams,
        (_, start: string, list: string) =>
          `${start} ${[...entriesOf(list), upstreamOf(spellings)].join(",")}`,
      ),
    remove: (text, spellings) =>
      without(text, new RegExp(`^ {2}${spellings.name}:\\n(?: {4}.*\\n)+\\n`, "m")).replace(
        edgeUpstreams,
        (_, start: string, list: string) =>
          `${start} ${entriesOf(list)
            .filter((entry) => entry !== upstreamOf(spellings))
            .join(",")}`,
      ),
  },
  {
    path: "deploy/observability/compose.yaml",
    add: (text, { spellings: { name } }) => before(text, /^ {2}edge:\n/m, `  ${name}: *spans\n`),
    remove: (text, { name }) => without(text, new RegExp(`^ {2}${name}: \\*spans\\n`, "m")),
  },
  {
    path: "deploy/observability/prometheus/compose.yaml",
    add: (text, { spellings: { name } }) => withTargets(text, (services) => [...services, name]),
    remove: (text, { name }) => withTargets(text, (services) => services.filter((other) => other !== name)),
  },
  {
    path: "deploy/observability/kustomization.yaml",
    add: (text, { spellings: { name } }) => withRules(text, (services) => [...services, name]),
    remove: (text, { name }) => withRules(text, (services) => services.filter((other) => other !== name)),
  },
  {
    path: ".github/workflows/release.yaml",
    add: (text, { spellings: { name } }) =>
      text.replaceAll(/\[(.*?)"edge"\]/g, (_, list: string) => `[${list}"${name}","edge"]`),
    remove: (text, { name }) => text.replaceAll(`"${name}",`, ""),
  },
];

/** The formatter puts a list of none, or of a single short entry, into one line. */
function oneServiceALine(text: string): string {
  return text.replace(/^ {2}services: \[(\{ .* \})?\],$/m, (_, only?: string) =>
    only ? `  services: [\n    ${only},\n  ],` : "  services: [\n  ],",
  );
}

/** Beside the one that every text has. */
function withImport(text: string, line: string | undefined): string {
  if (line === undefined || text.includes(line)) return text;
  return before(text, /^import type \{ System \}/m, `${line}\n`);
}

/** Without the ways to build other languages that no entry is left for. */
function withoutUnusedImports(text: string): string {
  return text.replace(/^import \{ (\w+) \} from "\.\/implementations\/.*\n/gm, (line, name: string) =>
    text.split(new RegExp(`\\b${name}\\b`)).length > 2 ? line : "",
  );
}

function importOf({ ident, name }: Spellings): string {
  return `import { ${ident} } from ${JSON.stringify(`../../services/${name}/service.ts`)};\n`;
}

/** The list of what runs in one process, changed. */
function withDefinitions(text: string, change: (idents: string[]) => string[]): string {
  return text.replace(/^(const definitions: .* = )\{([^}]*)\};$/m, (_, start: string, list: string) => {
    const idents = list.split(",").map((ident) => ident.trim());
    return `${start}{ ${change(idents.filter(Boolean)).join(", ")} };`;
  });
}

/** The list of what Prometheus asks for figures, changed; the edge's port is another, and its list the next. */
function withTargets(text: string, change: (services: string[]) => string[]): string {
  return text.replace(/(?<=- targets:).*?(?=\n {6}- targets: \["edge:)/s, (list) => {
    const there = [...list.matchAll(/"(.+?):8080"/g)].map(([, name]) => name as string);
    const targets = change(there).map((name) => `"${name}:8080"`);
    return ` [${targets.join(", ")}]`;
  });
}

/** The list of generated rules, changed: one file a service, and one for the events of all. */
function withRules(text: string, change: (services: string[]) => string[]): string {
  const listed = /(?<=- name: prometheus-rules\n {4}files:)(?: \[\]|(?:\n {6}- .*)+)/;
  return text.replace(listed, (list) => {
    const there = [...list.matchAll(/rules\/(.+)\.rules\.yaml/g)].map(([, name]) => name as string);
    const services = change(there.filter((name) => name !== "events"));
    const files = services.length > 0 ? [...services, "events"].sort() : [];
    const lines = files.map((name) => `\n      - generated/rules/${name}.rules.yaml`);
    return lines.length > 0 ? lines.join("") : " []";
  });
}

function composeBlock(spellings: Spellings, { image }: Language): string {
  return fill(
    `  {{name}}:
    <<: *process
    build:
      context: ../..
      dockerfile: deploy/docker/${image.dockerfile}
      args: { SERVICE: {{name}} }
${image.healthcheck ?? ""}    environment:
      <<: *environment
      WEFT_SERVICE: {{name}}
      WEFT_IDENTITY_CERT: /var/run/weft/{{name}}.cert.pem
      WEFT_IDENTITY_KEY: /var/run/weft/{{name}}.key.pem
      NATS_URL: nats://{{name}}:\${NATS_PASSWORD_{{NAME}}}@nats:4222
      DATABASE_URL: postgres://{{name}}:\${DB_PASSWORD_{{NAME}}}@postgres:5432/{{name}}

`,
    spellings,
  );
}

/** Of the edge, the last service: it may call everybody. */
const edgeUpstreams = /^( {6}WEFT_UPSTREAMS:)(.*)(?=\n {4}ports:)/m;
const entriesOf = (list: string) =>
  list
    .trim()
    .split(",")
    .filter((entry) => entry !== "" && entry !== '""');
const upstreamOf = ({ name }: Spellings) => `${name}=https://${name}:8080`;

function before(text: string, place: RegExp, addition: string): string {
  const at = text.search(place);
  if (at < 0) throw new Error(`no place like ${place}`);
  return text.slice(0, at) + addition + text.slice(at);
}

function without(text: string, entry: RegExp): string {
  return text.replace(entry, "");
}
