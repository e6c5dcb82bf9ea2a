import { testedInItsProcess } from "./contract-tests.ts";
import type { Language } from "./language.ts";

export const typescript: Language = {
  files: {
    "ts/README.md": "services/{{name}}/README.md",
    "ts/rpc.ts": "services/{{name}}/rpc.ts",
    "ts/create.ts": "services/{{name}}/create-{{thing-}}.ts",
    "ts/list.ts": "services/{{name}}/list-{{things-}}.ts",
    "ts/delete.ts": "services/{{name}}/delete-{{thing-}}.ts",
    "ts/rules.ts": "services/{{name}}/{{thing-}}.ts",
    "ts/rules.test.ts": "services/{{name}}/{{thing-}}.test.ts",
    "ts/storage.ts": "services/{{name}}/storage.ts",
    "ts/migrations/initial.ts": "services/{{name}}/migrations/{{stamp}}-initial.ts",
    "ts/events.ts": "services/{{name}}/events.ts",
    "ts/count-created.ts": "services/{{name}}/count-created.ts",
    "ts/service.ts": "services/{{name}}/service.ts",
    "service.test.ts": "services/{{name}}/{{name}}-service.test.ts",
    "ts/main.ts": "services/{{name}}/main.ts",
  },
  spell: () => testedInItsProcess,
  system: {
    entry: `    { name: "{{name}}", port: {{port}}, entry: "services/{{name}}/main.ts", database: true },\n`,
  },
  inOneProcess: true,
  image: { dockerfile: "Dockerfile" },
};
