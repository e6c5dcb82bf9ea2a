/**
 * "PlaceThing" → "place-thing", "GetURL2" → "get-url2": part of a resource's name (RFC 1123), so it begins and ends
 * with a letter or digit. A name of underscores alone is "rpc".
 */
export function kebab(name: string): string {
  const words = name
    .replace(/(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])/g, "-")
    .replaceAll(/[^A-Za-z0-9]+/g, "-")
    .toLowerCase();
  return words.replaceAll(/^-|-$/g, "") || "rpc";
}
