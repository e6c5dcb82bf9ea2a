/** An issuer of users' tokens, and what makes tokens that are wrong in one way. */
import { createHmac, randomBytes } from "node:crypto";
import { exportJWK, exportSPKI, generateKeyPair, SignJWT, UnsecuredJWT } from "jose";

export const issuer = "https://issuer.test";
export const audience = "library";
const { privateKey, publicKey } = await generateKeyPair("EdDSA", { crv: "Ed25519", extractable: true });
export const stranger = await generateKeyPair("EdDSA", { crv: "Ed25519" });
export const jwk = { ...(await exportJWK(publicKey)), kid: "key-1", alg: "EdDSA", use: "sig" };
/** Public keys of the issuer. */
export const jwks = { keys: [jwk] };

/** Seconds since 1970. */
export const now = () => Math.floor(Date.now() / 1_000);
export const claims = () => ({
  iss: issuer,
  aud: audience,
  sub: "ann",
  jti: "1",
  iat: now(),
  exp: now() + 300,
  roles: ["reader"],
});

/** A token with claims and header changed; undefined leaves a claim out. */
export function sign(
  change: Record<string, unknown> = {},
  header: Record<string, unknown> = {},
  key: CryptoKey = privateKey,
) {
  const payload = Object.fromEntries(
    Object.entries({ ...claims(), ...change }).filter(([, value]) => value !== undefined),
  );
  return new SignJWT(payload)
    .setProtectedHeader({ alg: "EdDSA", typ: "at+jwt", kid: "key-1", ...header })
    .sign(key);
}

export const header = { alg: "EdDSA", typ: "at+jwt", kid: "key-1" };
const elliptic = await generateKeyPair("ES256");
const rsa = await generateKeyPair("RS256");
const signAs = (alg: string, key: CryptoKey) => sign({}, { alg }, key);
const part = (value: unknown) =>
  Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");

/** Anything at all, signed with the right key. */
export async function bySegments(head: object, payload: unknown): Promise<string> {
  const input = `${part(head)}.${part(payload)}`;
  const signature = await crypto.subtle.sign("Ed25519", privateKey, Buffer.from(input));
  return `${input}.${Buffer.from(signature).toString("base64url")}`;
}

/** A token whose HMAC is keyed with what everybody knows (RFC 8725 section 2.1). */
function byHmac(key: string | Buffer): string {
  const input = `${part({ ...header, alg: "HS256" })}.${part(claims())}`;
  return `${input}.${createHmac("sha256", key).update(input).digest("base64url")}`;
}

/** With a signature that nobody has made. */
const withSignature = (alg: string, signature: Buffer) =>
  `${part({ ...header, alg })}.${part(claims())}.${signature.toString("base64url")}`;

/** Order of the group of Ed25519: adding it to a signature's second half makes another one for the same equation. */
const order = 2n ** 252n + 27742317777372353535851937790883648493n;
async function malleated(): Promise<string> {
  const [head, payload, signature] = (await sign()).split(".");
  const bytes = Buffer.from(signature!, "base64url");
  let scalar = BigInt(`0x${Buffer.from(bytes.subarray(32)).reverse().toString("hex")}`) + order;
  for (let at = 32; at < 64; at++, scalar >>= 8n) bytes[at] = Number(scalar & 0xffn);
  return `${head}.${payload}.${bytes.toString("base64url")}`;
}

/** What looks like an access token and is none, by what is wrong with it. */
export const forgeries: [string, () => Promise<string> | string][] = [
  ["unsigned", () => new UnsecuredJWT(claims()).encode()],
  ["HS256 keyed with the public key", () => byHmac(Buffer.from(jwk.x ?? "", "base64url"))],
  ["signed by a stranger under a known key id", () => sign({}, {}, stranger.privateKey)],
  ["unknown key id", () => sign({}, { kid: "key-2" })],
  ["path as key id", () => sign({}, { kid: "../../dev/null" })],
  ["key of its own in the header", () => sign({}, { jwk: jwk as never }, stranger.privateKey)],
  ["expired", () => sign({ iat: now() - 400, exp: now() - 100 })],
  ["without exp", () => sign({ exp: undefined })],
  ["living for a day", () => sign({ exp: now() + 86_400 })],
  ["issued long ago", () => sign({ iat: now() - 86_400 })],
  ["not valid yet", () => sign({ nbf: now() + 600 })],
  ["without iat", () => sign({ iat: undefined })],
  ["without jti", () => sign({ jti: undefined })],
  ["empty subject", () => sign({ sub: "" })],
  ["without subject", () => sign({ sub: undefined })],
  ["another issuer", () => sign({ iss: "https://evil.test" })],
  ["another audience", () => sign({ aud: "other" })],
  ["an id token", () => sign({}, { typ: "JWT" })],
  ["without type", () => sign({}, { typ: undefined })],
  ["roles as text", () => sign({ roles: "admin" })],
  ["without roles", () => sign({ roles: undefined })],
  ["larger than 4 KB", () => sign({ filler: "x".repeat(5_000) })],
  ["of another key type under a known key id", () => signAs("ES256", elliptic.privateKey)],
  ["RS256 under a known key id", () => signAs("RS256", rsa.privateKey)],
  [
    "a key address of its own in the header",
    () => sign({}, { jku: "https://evil.test/keys" }, stranger.privateKey),
  ],
  [
    "a certificate address in the header",
    () => sign({}, { x5u: "https://evil.test/cert" }, stranger.privateKey),
  ],
  ["a certificate in the header", () => sign({}, { x5c: ["MIIB"] }, stranger.privateKey)],
  ["an address as key id", () => sign({}, { kid: "https://evil.test/key" })],
  ["SQL as key id", () => sign({}, { kid: "' or 1=1 --" })],
  ["a key id longer than any", () => sign({}, { kid: "k".repeat(65) })],
  ["an empty key id", () => sign({}, { kid: "" })],
  ["without key id", () => sign({}, { kid: undefined })],
  ["demands that nobody knows", () => bySegments({ ...header, crit: ["x"], x: 1 }, claims())],
  ["a payload that is not encoded", () => bySegments({ ...header, crit: ["b64"], b64: false }, claims())],
  ["a token in a token", async () => bySegments({ ...header, cty: "JWT" }, await sign())],
  ["a list as payload", () => bySegments(header, [claims()])],
  ["alg NONE in capitals", () => bySegments({ ...header, alg: "NONE" }, claims())],
  ["without algorithm", () => bySegments({ ...header, alg: undefined }, claims())],
  ["encrypted", () => "a.b.c.d.e"],
  ["a refresh token", () => randomBytes(32).toString("base64url")],
  ["without issuer", () => sign({ iss: undefined })],
  ["a list of issuers", () => sign({ iss: [issuer, "https://evil.test"] })],
  ["an issuer with a slash behind", () => sign({ iss: `${issuer}/` })],
  ["without audience", () => sign({ aud: undefined })],
  ["audiences that are all others", () => sign({ aud: ["other", "library2"] })],
  ["issued in the future", () => sign({ iat: now() + 60, exp: now() + 120 })],
  ["times as text", () => sign({ exp: String(now() + 300) })],
  ["a subject that is no text", () => sign({ sub: 7 })],
  ["roles that are no texts", () => sign({ roles: [7] })],
  ["the type of a token for introspection", () => sign({}, { typ: "token-introspection+jwt" })],
  ["the type of a logout token", () => sign({}, { typ: "logout+jwt" })],
  ["cut short", async () => (await sign()).slice(0, -5)],
  [
    "payload of another token",
    async () => {
      const [head, , signature] = (await sign()).split(".");
      return `${head}.${(await sign({ sub: "root" })).split(".")[1]}.${signature}`;
    },
  ],
  ["HS256 keyed with the public key as PEM", async () => byHmac(await exportSPKI(publicKey))],
  ["HS256 keyed with the public key as JSON", () => byHmac(JSON.stringify(jwk))],
  ["HS256 keyed with nothing", () => byHmac("")],
  ["a signature of zeros", () => withSignature("EdDSA", Buffer.alloc(64))],
  ["a signature of zeros by ES256", () => withSignature("ES256", Buffer.alloc(64))],
  ["an empty signature", () => withSignature("EdDSA", Buffer.alloc(0))],
  ["another signature for the same equation", malleated],
  ["the algorithm by its other name", () => bySegments({ ...header, alg: "Ed25519" }, claims())],
  ["a list of algorithms", () => bySegments({ ...header, alg: ["EdDSA", "none"] }, claims())],
  ["a list of key ids", () => bySegments({ ...header, kid: ["key-1"] }, claims())],
  ["a key id that is an object", () => bySegments({ ...header, kid: { toString: "key-1" } }, claims())],
  ["a list of types", () => bySegments({ ...header, typ: ["at+jwt"] }, claims())],
  ["an empty list of demands", () => bySegments({ ...header, crit: [] }, claims())],
  ["an issuer in capitals", () => sign({ iss: issuer.toUpperCase() })],
  ["an issuer that begins like ours", () => sign({ iss: `${issuer}.evil.test` })],
  ["an audience that begins like ours", () => sign({ aud: `${audience}2` })],
  ["an empty list of audiences", () => sign({ aud: [] })],
  ["roles that are an object", () => sign({ roles: { 0: "reader", length: 1 } })],
  [
    "roles of the prototype",
    () =>
      bySegments(
        header,
        `{"__proto__":{"roles":["reader"]},${JSON.stringify({ ...claims(), roles: undefined }).slice(1)}`,
      ),
  ],
  ["living for ever", () => sign({ exp: 1e300 })],
  ["a life that is negative", () => sign({ iat: now(), exp: now() - 60 })],
  ["exp of zero", () => sign({ exp: 0 })],
  ["nbf as text", () => sign({ nbf: "0" })],
  [
    "a token of another key of ours",
    async () => sign({}, { kid: "key-1" }, (await generateKeyPair("EdDSA", { crv: "Ed25519" })).privateKey),
  ],
];
