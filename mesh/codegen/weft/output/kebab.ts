/** "PlaceThing" → "place-thing", "GetURL2" → "get-url2": part of a resource's name (RFC 1123). */
export function kebab(name: string): string {
  return name
    .replace(/(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])/g, "-")
    .replaceAll(/[^A-Za-z0-9]+/g, "-")
    .toLowerCase();
}
