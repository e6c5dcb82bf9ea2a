import { testedAsAProcess } from "./contract-tests.ts";
import type { Language } from "./language.ts";

/** Modules of the service's package; their names are fixed, so that none is a word of Python. */
const modules = [
  "__init__",
  "__main__",
  "rpc",
  "create",
  "list_page",
  "delete",
  "rules",
  "storage",
  "events",
  "count_created",
  "service",
];

export const python: Language = {
  files: {
    "python/README.md": "services/{{name}}/README.md",
    ...Object.fromEntries(
      modules.map((name) => [`python/${name}.py`, `services/{{name}}/{{file}}_service/${name}.py`]),
    ),
    "python/test_rules.py": "services/{{name}}/test_{{file}}_rules.py",
    "service.test.ts": "services/{{name}}/{{name}}-service.test.ts",
  },
  spell: () => testedAsAProcess("python"),
  system: {
    import: `import { pythonProgram } from "./implementations/python.ts";`,
    entry: `    {
      name: "{{name}}",
      port: {{port}},
      database: true,
      implementations: { python: pythonProgram("{{file}}_service", "services/{{name}}") },
    },\n`,
  },
  inOneProcess: false,
  image: {
    dockerfile: "python.Dockerfile",
    healthcheck: `    healthcheck:
      test: [CMD, python, -c, "import urllib.request as r; r.urlopen('http://127.0.0.1:8080/readyz', timeout=2)"]
      interval: 2s
      timeout: 3s
      retries: 30
`,
  },
  stubs: "python",
  tests: ".weft/python/bin/python -m pytest -c mesh/python/pytest.ini services/{{name}}      its rules",
  refuses({ name, file, things_, package: full }) {
    const word = [...full.split("."), file, things_].find((each) => keywords.has(each));
    return word === undefined ? undefined : `NAME: "${name}": "${word}" is a reserved word of Python`;
  },
};

/** https://docs.python.org/3/reference/lexical_analysis.html#keywords, those in small letters. */
const keywords = new Set(
  `and as assert async await break class continue def del elif else except finally for from global if import in is
   lambda nonlocal not or pass raise return try while with yield`.split(/\s+/),
);
