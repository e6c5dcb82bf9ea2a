/**
 * DESIGN
 *
 * A view draws itself as a tree of plain objects; `patch` changes the document where it differs from what was drawn
 * last, and nowhere else. So focus, selection and scroll positions stay while data comes in, and a list of which one
 * row changed costs one row. Text becomes text nodes, never markup: data cannot become elements.
 */

/** What was drawn last into an element: its node, and the listeners it has. */
const drawn = new WeakMap();
const svgNamespace = "http://www.w3.org/2000/svg";
/** Set as properties: their attributes only say what they began with. */
const properties = new Set(["value", "checked", "disabled", "selected", "open", "indeterminate"]);

/**
 * @param {string} tag "svg:path" for elements of SVG
 * @param {Record<string, unknown> | null} given attributes; `key` tells siblings apart, `on` has listeners by event,
 *   `style` has properties by name, `hook` is called with the element after it was patched
 * @param {...unknown} children nodes, strings, numbers, lists of them; null, undefined and false are left out
 */
export function el(tag, given, ...children) {
  const { key, on, style, hook, ...attributes } = given ?? {};
  return { tag, key, on, style, hook, attributes, children: children.flat(Infinity).filter(isSomething) };
}

const isSomething = (child) => child !== null && child !== undefined && child !== false && child !== true;

/** Makes the children of an element those given. */
export function patch(parent, children) {
  const keyed = new Map();
  const others = [];
  for (const node of parent.childNodes) {
    const key = drawn.get(node)?.key;
    if (key === undefined) others.push(node);
    else keyed.set(key, node);
  }
  const wanted = children.flat(Infinity).filter(isSomething);
  const found = wanted.map((child) => takeNode(child, keyed, others) ?? createNode(child));
  const staying = new Set(found);
  for (const node of [...parent.childNodes]) if (!staying.has(node)) node.remove();
  let cursor = parent.firstChild;
  for (const [index, node] of found.entries()) {
    if (node === cursor) cursor = cursor.nextSibling;
    else move(parent, node, cursor);
    patchNode(node, wanted[index]);
  }
}

/** A node that is there and can become what is wanted. */
function takeNode(wanted, keyed, others) {
  if (typeof wanted !== "object") {
    const index = others.findIndex((node) => node.nodeType === Node.TEXT_NODE);
    return index < 0 ? undefined : others.splice(index, 1)[0];
  }
  if (wanted.key !== undefined) {
    const node = keyed.get(wanted.key);
    keyed.delete(wanted.key);
    return node && drawn.get(node).tag === wanted.tag ? node : undefined;
  }
  const index = others.findIndex((node) => drawn.get(node)?.tag === wanted.tag);
  return index < 0 ? undefined : others.splice(index, 1)[0];
}

/** Without losing focus where the browser can. */
function move(parent, node, before) {
  if (node.parentNode === parent && parent.moveBefore) parent.moveBefore(node, before);
  else parent.insertBefore(node, before);
}

function createNode(wanted) {
  if (typeof wanted !== "object") return document.createTextNode(String(wanted));
  const [name, space] = wanted.tag.startsWith("svg:") ? [wanted.tag.slice(4), svgNamespace] : [wanted.tag];
  const node = space ? document.createElementNS(space, name) : document.createElement(name);
  drawn.set(node, {
    tag: wanted.tag,
    key: wanted.key,
    attributes: {},
    style: {},
    on: {},
    listening: new Set(),
  });
  return node;
}

function patchNode(node, wanted) {
  if (typeof wanted !== "object") {
    const text = String(wanted);
    if (node.data !== text) node.data = text;
    return;
  }
  const before = drawn.get(node);
  // Children first: a select can only have a value that is one of its options.
  patch(node, wanted.children);
  patchAttributes(node, before.attributes, wanted.attributes);
  patchStyle(node, before.style, wanted.style ?? {});
  before.on = wanted.on ?? {};
  for (const type of Object.keys(before.on)) {
    if (before.listening.has(type)) continue;
    before.listening.add(type);
    node.addEventListener(type, (event) => before.on[type]?.(event));
  }
  before.attributes = wanted.attributes;
  before.style = wanted.style ?? {};
  wanted.hook?.(node);
}

function patchAttributes(node, before, now) {
  for (const name of Object.keys(before)) if (!(name in now)) setAttribute(node, name, undefined);
  for (const [name, value] of Object.entries(now)) {
    if (properties.has(name) ? node[name] !== value : before[name] !== value) setAttribute(node, name, value);
  }
}

function setAttribute(node, name, value) {
  if (name === "href" && value !== undefined && !isSafeUrl(value)) return node.removeAttribute(name);
  if (properties.has(name)) node[name] = value ?? (name === "value" ? "" : false);
  else if (value === undefined || value === null || value === false) node.removeAttribute(name);
  else node.setAttribute(name, value === true ? "" : String(value));
}

function patchStyle(node, before, now) {
  for (const name of Object.keys(before)) if (!(name in now)) node.style.removeProperty(name);
  for (const [name, value] of Object.entries(now))
    if (before[name] !== value) node.style.setProperty(name, String(value));
}

/** Links lead within the page, to this machine's ports, or nowhere: what runs code is none. */
export function isSafeUrl(text) {
  if (String(text).startsWith("#")) return true;
  const url = URL.parse(String(text), location.href);
  return url !== null && ["http:", "https:"].includes(url.protocol);
}
