/** The kit as packages: the list of them, and what each holds. Paths are from the root of the repository. */

export interface PackageSpec {
  readonly name: string;
  /** Folder here that has its README. */
  readonly folder: string;
  readonly description: string;
  /** Sources that it is made of, together with whatever they import and `owns` is true of. */
  readonly entries: (sources: readonly string[]) => readonly string[];
  /** Whether a source that is imported goes into it; the others come from a package that it depends on. */
  readonly owns: (source: string) => boolean;
  readonly exports: Readonly<Record<string, string>>;
  /** How the kit's own names for sources (`#mesh/x.ts`) are found inside it: files, or another package. */
  readonly imports: Readonly<Record<string, string>>;
  readonly bin?: Readonly<Record<string, string>>;
  /** Whether it brings the contracts that others import. */
  readonly protos?: boolean;
  /** Packages that it needs and that no source names. */
  readonly alsoNeeds?: readonly string[];
}

const runtime = "@weft/runtime";

export const packages: readonly PackageSpec[] = [
  {
    name: runtime,
    folder: "runtime",
    description:
      "Runs a service of a gRPC mesh: server, clients, identity, policy, events, telemetry, storage.",
    entries: (sources) =>
      sources.filter(
        (path) =>
          path.startsWith("mesh/runtime/") ||
          /^gen\/ts\/(weft\/(policy|events|mesh)|google|grpc)\//.test(path),
      ),
    owns: () => true,
    exports: {
      ".": "dist/mesh/runtime/index",
      "./gen/*.js": "dist/gen/ts/*",
      "./*.js": "dist/mesh/runtime/*",
    },
    imports: { "#mesh/*.ts": "dist/mesh/*", "#gen/*.ts": "dist/gen/ts/*" },
    alsoNeeds: ["@mikro-orm/sql"],
  },
  {
    name: "@weft/edge",
    folder: "edge",
    description:
      "The gateway of a gRPC mesh: REST, gRPC, gRPC-Web and Connect on one port, as the contract says.",
    entries: () => ["edge/start-edge.ts", "edge/mesh.ts", "edge/main.ts"],
    owns: (path) => path.startsWith("edge/"),
    exports: { ".": "dist/edge/start-edge", "./*.js": "dist/edge/*" },
    imports: {
      "#edge/*.ts": "dist/edge/*",
      "#mesh/runtime/*.ts": `${runtime}/*.js`,
      "#gen/*.ts": `${runtime}/gen/*.js`,
    },
    bin: { "weft-edge": "dist/edge/mesh.js", "weft-gateway": "dist/edge/main.js" },
  },
  {
    name: "@weft/protoc-gen-weft",
    folder: "protoc-gen-weft",
    description:
      "protoc plugins: mesh and cluster configuration, alerts, dashboards and OpenAPI from a contract.",
    entries: () => ["mesh/codegen/protoc-gen-weft.ts", "mesh/codegen/protoc-gen-weft-openapi.ts"],
    owns: () => true,
    exports: { ".": "dist/mesh/codegen/weft/plugin", "./openapi": "dist/mesh/codegen/openapi/plugin" },
    imports: { "#mesh/*.ts": "dist/mesh/*", "#gen/*.ts": "dist/gen/ts/*" },
    bin: {
      "protoc-gen-weft": "dist/mesh/codegen/protoc-gen-weft.js",
      "protoc-gen-weft-openapi": "dist/mesh/codegen/protoc-gen-weft-openapi.js",
    },
    protos: true,
  },
];
