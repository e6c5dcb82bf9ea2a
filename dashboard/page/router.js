/** Where the page is: #/VIEW/ID/…?filter=…, so that links go deep and the back button goes back. */

/** @returns {{ view: string, path: string[], query: URLSearchParams }} */
export function currentPlace() {
  const [path = "", query = ""] = location.hash.replace(/^#\/?/, "").split("?", 2);
  const [view, ...rest] = path.split("/").map(decoded);
  return { view: view || "overview", path: rest, query: new URLSearchParams(query) };
}

/** @param {Record<string, string | boolean | undefined>} query empty values are left out */
export function linkTo(view, path = [], query = {}) {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value) params.set(name, String(value));
  const text = params.size > 0 ? `?${params}` : "";
  return `#/${[view, ...path].map(encodeURIComponent).join("/")}${text}`;
}

/** Changes the filter in the address without a new entry in the history. */
export function replaceQuery(query) {
  const { view, path } = currentPlace();
  history.replaceState(null, "", linkTo(view, path, query));
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
