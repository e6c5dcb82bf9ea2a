/**
 * Password hashes: argon2id with the parameters that OWASP recommends (19 MiB, 2 passes, 1 lane), stored
 * as PHC strings: $argon2id$v=19$m=19456,t=2,p=1$SALT$HASH, base64 without padding.
 */
import { argon2, randomBytes, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";
import { Code, ConnectError } from "@connectrpc/connect";
import { BulkheadRejectedError, bulkhead, TaskCancelledError } from "cockatiel";
import { ServiceError } from "#mesh/runtime/rpc/errors.ts";

const argon2id = promisify(argon2.bind(undefined, "argon2id"));

const cost = { memory: 19_456, passes: 2, parallelism: 1 };
const saltBytes = 16;
const hashBytes = 32;
/** When to come again after a refusal, in milliseconds. */
const retryAfterMs = 1_000;
const phcPattern =
  /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,2}),p=(\d{1,2})\$([A-Za-z\d+/]{11,86})\$([A-Za-z\d+/]{22,86})$/;

/** Hashes and verifies passwords, a few at a time. */
export interface Passwords {
  /**
   * @returns a PHC string with a salt of its own
   * @throws ServiceError OVERLOADED when too many wait; ConnectError CANCELED when `signal` was aborted first
   */
  hash(password: string, signal?: AbortSignal): Promise<string>;
  /**
   * @param phc what `hash` returned; undefined takes the same time and answers false
   * @throws as `hash`; Error when `phc` is malformed
   */
  verify(password: string, phc: string | undefined, signal?: AbortSignal): Promise<boolean>;
}

/**
 * @param atOnce hashes computed at the same time: each fills a core and 19 MiB
 * @param waiting hashes that may wait for their turn; at about 50 ms each, the last of 64 waits 1.6 s
 */
export function createPasswords({ atOnce = 2, waiting = 64 } = {}): Passwords {
  const places = bulkhead(atOnce, waiting);
  const inTurn = async <T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> => {
    try {
      return await places.execute(work, signal);
    } catch (error) {
      if (error instanceof BulkheadRejectedError)
        throw new ServiceError(
          Code.ResourceExhausted,
          "OVERLOADED",
          "too many passwords to check; try again shortly",
          { retryAfterMs },
        );
      if (error instanceof TaskCancelledError)
        throw new ConnectError("the caller has given up", Code.Canceled);
      throw error;
    }
  };
  return {
    hash: (password, signal) => inTurn(() => hash(password), signal),
    verify: (password, phc = decoy, signal) => inTurn(() => verify(password, phc), signal),
  };
}

async function hash(password: string): Promise<string> {
  const nonce = randomBytes(saltBytes);
  return phcOf(nonce, await argon2id({ message: password, nonce, tagLength: hashBytes, ...cost }));
}

async function verify(password: string, phc: string): Promise<boolean> {
  const [, memory, passes, parallelism, salt, expected] = phcPattern.exec(phc) ?? [];
  if (!salt || !expected) throw new Error("a stored password hash is malformed");
  const tag = Buffer.from(expected, "base64");
  const actual = await argon2id({
    message: password,
    nonce: Buffer.from(salt, "base64"),
    tagLength: tag.length,
    memory: Number(memory),
    passes: Number(passes),
    parallelism: Number(parallelism),
  });
  return timingSafeEqual(actual, tag);
}

function phcOf(salt: Buffer, tag: Buffer): string {
  const { memory, passes, parallelism } = cost;
  return `$argon2id$v=19$m=${memory},t=${passes},p=${parallelism}$${unpadded(salt)}$${unpadded(tag)}`;
}

function unpadded(bytes: Buffer): string {
  return bytes.toString("base64").replace(/=+$/, "");
}

/** Hash of no password: random bytes that cost as much to compare with as a real one. */
const decoy = phcOf(randomBytes(saltBytes), randomBytes(hashBytes));
