/** The outbox is worked on in parts, so that replicas share it and each key stays in order. */
import { hash } from "node:crypto";

/** Parts of every outbox. A change needs an empty outbox: rows keep the part they were written with. */
export const partitions = 16;

/** Part of a key: its SHA-256 modulo the number of parts. */
export function partitionOf(key: string): number {
  return hash("sha256", key, "buffer").readUInt32BE(0) % partitions;
}
