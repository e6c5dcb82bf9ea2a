/** Words for service.test.ts, which tests a service through its contract, whatever it is written in. */

/** The service runs in the test's process. */
export const testedInItsProcess = {
  import_test: "test",
  import_subject: `import { {{ident}} } from "./service.ts";`,
  subject: "{{ident}}",
  skip: "",
};

/** The service runs as a process, where the tools of its language are. */
export function testedAsAProcess(language: string) {
  return {
    import_test: "test as always",
    import_subject: `import { missingFor } from "../../test/system/missing-for.ts";`,
    subject: "{ contract: {{Thing}}Service }",
    skip: `const missing = missingFor("${language}");
if (missing) console.log(\`{{name}}: skipped: \${missing}\`);
const test = always.skipIf(missing);\n`,
  };
}
