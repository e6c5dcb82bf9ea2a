import { ValueError } from "./value-error.ts";

const JSON_PATH = /^[a-z][A-Za-z0-9]*(\.[a-z][A-Za-z0-9]*)*$/;
/** Snake case that survives the way to camel case and back. */
const PROTO_PATH = /^[a-z][a-z0-9]*(_[a-z][a-z0-9]*)*(\.[a-z][a-z0-9]*(_[a-z][a-z0-9]*)*)*$/;

/**
 * Paths of a FieldMask in its JSON form, comma-separated lowerCamelCase, as proto paths.
 * @param snakeToo also take proto paths as they are, as query parameters may have them
 */
export function parseFieldMask(text: string, snakeToo: boolean): string[] {
  if (text === "") return [];
  return text.split(",").map((path) => {
    if (snakeToo && path.includes("_") && PROTO_PATH.test(path)) return path;
    if (!JSON_PATH.test(path)) throw new ValueError("must be comma-separated lowerCamelCase field paths");
    return path.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  });
}

/** @throws ValueError for a path that has no JSON form */
export function formatFieldMask(paths: readonly string[]): string {
  return paths
    .map((path) => {
      checkMaskPath(path);
      return path.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
    })
    .join(",");
}

export function checkMaskPath(path: string): void {
  if (!PROTO_PATH.test(path)) throw new ValueError("a field mask path has no JSON form");
}
