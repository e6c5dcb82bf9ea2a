import { exportJWK, generateKeyPair, importJWK, type JWK, SignJWT } from "jose";
import { expect, test } from "vitest";
import { createWorkload } from "./workload.ts";

const domain = "weft.test";
const keys = new Map<string, JWK>();
const bundle: JWK[] = [];
for (const name of ["edge", "library", "archive"]) {
  const { privateKey, publicKey } = await generateKeyPair("EdDSA", { crv: "Ed25519", extractable: true });
  keys.set(name, { ...(await exportJWK(privateKey)), kid: name });
  bundle.push({ ...(await exportJWK(publicKey)), kid: name, alg: "EdDSA" });
}
const workload = (name: string) => createWorkload(name, keys.get(name) as JWK, { keys: bundle }, domain);
const spiffe = (name: string) => `spiffe://${domain}/ns/default/sa/${name}`;

async function forge(signer: string, claims: { kid?: string; sub?: string; aud?: string; life?: number }) {
  const now = Math.floor(Date.now() / 1_000);
  return new SignJWT({
    sub: claims.sub ?? spiffe(signer),
    aud: claims.aud ?? spiffe("library"),
    iat: now,
    exp: now + (claims.life ?? 60),
  })
    .setProtectedHeader({ alg: "EdDSA", kid: claims.kid ?? signer, typ: "JWT" })
    .sign((await importJWK(keys.get(signer) as JWK, "EdDSA")) as CryptoKey);
}

test("a callee learns who calls", async () => {
  const assertion = await (await workload("edge")).assertionFor("library");
  expect(await (await workload("library")).verify(assertion)).toBe("edge");
});

test("an assertion is used again, and made for one callee only", async () => {
  const edge = await workload("edge");
  expect(await edge.assertionFor("library")).toBe(await edge.assertionFor("library"));
  const archive = await workload("archive");
  await expect(archive.verify(await edge.assertionFor("library"))).rejects.toMatchObject({ code: 16 });
});

test.each([
  ["another's name in the subject", () => forge("archive", { sub: spiffe("edge") })],
  ["another's key id", () => forge("archive", { kid: "edge", sub: spiffe("edge") })],
  ["an unknown workload", () => forge("archive", { kid: "nobody" })],
  ["another trust domain", () => forge("edge", { sub: "spiffe://evil.test/ns/default/sa/edge" })],
  ["expired", () => forge("edge", { life: -60 })],
  ["no token at all", async () => "x"],
])("a forged assertion is refused: %s", async (_name, make) => {
  await expect((await workload("library")).verify(await make())).rejects.toMatchObject({ code: 16 });
});

test("a workload does not start with another's key", async () => {
  await expect(createWorkload("edge", keys.get("library") as JWK, { keys: bundle }, domain)).rejects.toThrow(
    "library",
  );
});
