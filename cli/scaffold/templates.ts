/** The files of a new service: templates, and where each goes. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Spellings } from "./naming.ts";

const folder = join(import.meta.dirname, "template");

/** Template → path in the repository; both may hold spellings. */
const files: Readonly<Record<string, string>> = {
  "proto/service.proto": "proto/{{dir}}/{{file}}.proto",
  "proto/events.proto": "proto/{{dir}}/events.proto",
  "proto/error_reason.proto": "proto/{{dir}}/error_reason.proto",
  "service/README.md": "services/{{name}}/README.md",
  "service/rpc.ts": "services/{{name}}/rpc.ts",
  "service/create.ts": "services/{{name}}/create-{{thing-}}.ts",
  "service/list.ts": "services/{{name}}/list-{{things-}}.ts",
  "service/delete.ts": "services/{{name}}/delete-{{thing-}}.ts",
  "service/rules.ts": "services/{{name}}/{{thing-}}.ts",
  "service/rules.test.ts": "services/{{name}}/{{thing-}}.test.ts",
  "service/storage.ts": "services/{{name}}/storage.ts",
  "service/migrations/initial.ts": "services/{{name}}/migrations/{{stamp}}-initial.ts",
  "service/events.ts": "services/{{name}}/events.ts",
  "service/count-created.ts": "services/{{name}}/count-created.ts",
  "service/service.ts": "services/{{name}}/service.ts",
  "service/service.test.ts": "services/{{name}}/{{name}}-service.test.ts",
  "service/main.ts": "services/{{name}}/main.ts",
};

/** Path in the repository → text, for every file of the service. */
export function filesOf(spellings: Spellings): Map<string, string> {
  return new Map(
    Object.entries(files).map(([template, path]) => [
      fill(path, spellings),
      fill(readFileSync(join(folder, `${template}.tpl`), "utf8"), spellings),
    ]),
  );
}

/**
 * Puts spellings where the text names them.
 * @throws Error for a name that is no spelling: the template is wrong
 */
export function fill(text: string, spellings: Readonly<Record<string, string>>): string {
  return text.replace(/\{\{([\w-]+)\}\}/g, (_, name: string) => {
    const spelling = spellings[name];
    if (spelling === undefined) throw new Error(`a template asks for "${name}"`);
    return spelling;
  });
}
