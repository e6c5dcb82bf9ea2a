import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { createUserVerifier } from "#mesh/runtime/identity/user-token.ts";
import { ensureTokenKeys, issueToken } from "./development-tokens.ts";

const tokens = { issuer: "https://library.test", audience: "library" };

function folder() {
  const made = mkdtempSync(join(tmpdir(), "weft-tokens-"));
  onTestFinished(() => rmSync(made, { recursive: true }));
  return made;
}

test("services accept the runner's tokens by the keys that they are given", async () => {
  const data = folder();
  const verify = createUserVerifier({ jwksUrl: ensureTokenKeys(data), ...tokens });
  const token = await issueToken(data, tokens, { id: "ann", roles: ["admin"] });
  expect(await verify(`Bearer ${token}`)).toMatchObject({ id: "ann", roles: ["admin"] });
});

test("the key stays the same, is readable by its owner alone, and is not another system's", async () => {
  const data = folder();
  const jwksUrl = ensureTokenKeys(data);
  expect(ensureTokenKeys(data)).toBe(jwksUrl);
  expect(statSync(join(data, "identity/tokens.key.pem")).mode & 0o777).toBe(0o600);
  const other = folder();
  ensureTokenKeys(other);
  const token = await issueToken(other, tokens, { id: "ann", roles: [] });
  const verify = createUserVerifier({ jwksUrl, ...tokens });
  await expect(verify(`Bearer ${token}`)).rejects.toThrow("not valid");
});
