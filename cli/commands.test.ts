/** What the tool says where no system runs, and what shells learn of it. */
import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { commands } from "./commands.ts";
import { runCommandLine } from "./run-command-line.ts";

async function weft(line: string, env: NodeJS.ProcessEnv = {}) {
  const out: string[] = [];
  const err: string[] = [];
  const io = { out: (text: string) => out.push(text), err: (text: string) => err.push(text), env };
  const code = await runCommandLine(commands, line.split(" ").filter(Boolean), io);
  return { code, out: out.join("\n"), err: err.join("\n") };
}

test.each([
  "status",
  "top",
  "logs",
  "trace",
  "call a/B",
  "emit a {}",
  "fault list",
  "kill order",
  "bench a/B",
  "open",
])('"weft %s" says that nothing runs, and how to start it', async (line) => {
  const { code, err, out } = await weft(`${line} --data /nowhere`);
  expect(code).toBe(1);
  expect(out).toBe("");
  expect(err).toContain("nothing runs on the data in /nowhere");
  expect(err).toContain("npm start");
});

test.each([
  ["kill", "name a process"],
  ["emit x", "give it as JSON"],
  ["fault", "name a method"],
  ["logs --level loud", "--level must be one of"],
  ["logs --lines many", "--lines must be a whole number"],
  ["trace --slower soon", "--slower must be a duration"],
  ["top --ticks 0", "--ticks must be"],
  ["call", "name a method"],
  ["token", "name one user"],
  ["eject", "`eject shop`"],
  ["completion tcsh", "name a shell"],
])('"weft %s" is wrong usage', async (line, says) => {
  const { code, err } = await weft(line, { WEFT_DASHBOARD_URL: "http://127.0.0.1:1" });
  expect(code).toBe(2);
  expect(err).toContain(says);
});

test("a dashboard that does not answer is named", async () => {
  const { code, err } = await weft("status", { WEFT_DASHBOARD_URL: "http://127.0.0.1:1" });
  expect(code).toBe(1);
  expect(err).toContain("the dashboard at http://127.0.0.1:1 does not answer");
  expect(err).not.toMatch(/ {4}at /);
});

test("every command has a usage that names it, and every option of it is completed", async () => {
  const { out } = await weft("completion bash");
  for (const { name, usage } of commands) {
    expect(usage).toContain(`weft ${name.split(" ")[0]}`);
    expect(out).toContain(` ${name}) COMPREPLY`);
  }
  for (const option of ["--abort", "--follow", "--slower", "--json"]) expect(out).toContain(option);
});

test("the completion is a script that bash can read, and completes", async () => {
  const { out } = await weft("completion bash");
  const complete = 'COMP_WORDS=(weft fault --ab); COMP_CWORD=2; _weft; echo "$COMPREPLY"';
  expect(execFileSync("bash", ["-c", `${out}\n${complete}`], { encoding: "utf8" })).toBe("--abort\n");
});
