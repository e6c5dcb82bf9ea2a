import type { Spellings } from "../naming.ts";
import { testedAsAProcess } from "./contract-tests.ts";
import type { Language } from "./language.ts";

/** Files of a package; their names are fixed, since Go gives a meaning to endings such as "_test" and "_windows". */
const sources = [
  "README.md",
  "main.go",
  "rpc.go",
  "create.go",
  "list.go",
  "delete.go",
  "count_created.go",
  "rules.go",
  "rules_test.go",
  "storage.go",
];

export const go: Language = {
  files: {
    ...Object.fromEntries(sources.map((file) => [`go/${file}`, `services/{{name}}/${file}`])),
    "go/migrations/initial.sql": "services/{{name}}/migrations/{{stamp}}_initial.sql",
    "service.test.ts": "services/{{name}}/{{name}}-service.test.ts",
  },
  spell: (spellings) => ({ ...goNames(spellings), ...testedAsAProcess("go") }),
  system: {
    import: `import { goProgram } from "./implementations/go.ts";`,
    entry: `    {
      name: "{{name}}",
      port: {{port}},
      database: true,
      implementations: { go: goProgram("{{name}}-go", "services/{{name}}") },
    },\n`,
  },
  inOneProcess: false,
  image: {
    dockerfile: "go.Dockerfile",
    healthcheck: `    healthcheck:
      test: [CMD, wget, -q, -O, /dev/null, "http://127.0.0.1:8080/readyz"]
      interval: 2s
      timeout: 2s
      retries: 30
`,
  },
  stubs: "go",
  tests: "go test ./services/{{name}}      its rules",
  refuses({ name, file }) {
    if (folders.has(name)) return `NAME: "${name}" is a folder with a meaning in Go; take another`;
    const [last = "", ...before] = file.split("_").reverse();
    return before.length > 0 && (platforms.has(last) || last === "test")
      ? `NAME: "${name}" would make files that Go leaves out: ${file}.pb.go`
      : undefined;
  },
};

/** Go packages in them cannot be imported, or are not looked at (go help packages). */
const folders = new Set(["internal", "vendor", "testdata", "main"]);
/** Ends of file names that are conditions (go help buildconstraint). */
const platforms = new Set(
  `aix android darwin dragonfly freebsd hurd illumos ios js linux nacl netbsd openbsd plan9 solaris wasip1 windows zos
   386 amd64 arm arm64 loong64 mips mips64 mips64le mipsle ppc64 ppc64le riscv64 s390x sparc64 wasm`.split(
    /\s+/,
  ),
);

/** What protoc-gen-go calls things. */
function goNames({ Thing, Things, thing_, things_, dir, file }: Spellings) {
  return {
    GoThing: goCamelCase(Thing),
    GoThings: goCamelCase(Things),
    GoThing_: goCamelCase(thing_),
    GoThings_: goCamelCase(things_),
    proto_file: `${dir.replaceAll("/", "_")}_${file}`,
  };
}

/** GoCamelCase of google.golang.org/protobuf: a small letter behind "_" or a digit becomes a capital. */
export function goCamelCase(name: string): string {
  return name.replace(/^[a-z]|_[a-z]|(?<=\d)[a-z]/g, (match) => match.slice(-1).toUpperCase());
}
