import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { expect, test } from "vitest";
import { claimPorts } from "./claim-ports.ts";

/** Beyond what a port can be: nobody claims them but this test. */
const [first, second, third] = [1, 2, 3].map((last) => process.pid * 1_000_000 + last) as [
  number,
  number,
  number,
];

test("ports belong to whoever claimed them, until that process ends, however it ends", async () => {
  const program = `import { claimPorts } from "./test/system/claim-ports.ts";
    console.log(claimPorts([${first}, ${second}]));
    setInterval(() => {}, 1_000);`;
  const other = spawn(process.execPath, ["--input-type=module", "--eval", program], {
    cwd: join(import.meta.dirname, "../.."),
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = once(other, "exit");
  try {
    expect(String((await once(other.stdout, "data"))[0]).trim()).toBe("true");
    expect(claimPorts([third, second])).toBe(false);
  } finally {
    other.kill("SIGKILL");
    await ended;
  }
  // None of what was refused is kept, and what a killed process had is free.
  expect(claimPorts([first, second, third])).toBe(true);
  expect(claimPorts([third])).toBe(false);
});
