// The site of docs/: built without a network, and its pages load nothing from elsewhere.
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";

const docs = path.resolve(import.meta.dirname, "..");

/** What a page calls itself: its first heading. */
const titleOf = (page) => /^# (.*)$/m.exec(readFileSync(path.join(docs, page), "utf8"))?.[1] ?? page;
const entry = (page) => ({ text: titleOf(page), link: `/${page.replace(/\.md$/, "")}` });
const folder = (name) =>
  readdirSync(path.join(docs, name))
    .filter((file) => file.endsWith(".md"))
    .sort()
    .map((file) => entry(`${name}/${file}`));

export default {
  title: "Weft",
  description: "A gRPC-first service mesh for TypeScript teams.",
  rewrites: { "README.md": "index.md" },
  cleanUrls: true,
  themeConfig: {
    search: { provider: "local" },
    outline: [2, 3],
    sidebar: [
      { text: "Tutorial", items: folder("tutorial") },
      { text: "How to", items: folder("how-to") },
      { text: "Reference", items: [...folder("reference"), entry("calling.md")] },
      {
        text: "Explanation",
        items: ["patterns.md", "contracts.md", "failures.md", "operations.md", "polyglot.md"].map(entry),
      },
    ],
  },
  markdown: { config: (markdown) => markdown.core.ruler.push("outside", linksOutsideBecomeText) },
};

/** The site has only the pages of docs/: a link to code becomes the path of the file. */
function linksOutsideBecomeText({ tokens, env, Token }) {
  const page = path.relative(docs, env.path ?? docs);
  for (const { children } of tokens.filter(({ type }) => type === "inline"))
    for (const [at, token] of children.entries()) {
      if (token.type !== "link_open") continue;
      const href = token.attrGet("href") ?? "";
      const target = path.join(path.dirname(page), href.replace(/[#?].*/, ""));
      const isPage = !target.startsWith("..") && target.endsWith(".md");
      if (/^(\w+:|#|\/)/.test(href) || isPage) continue;
      const close = children.findIndex(({ type }, index) => index > at && type === "link_close");
      children[at] = text(Token, `<span title="${target.replace(/^(\.\.\/)+/, "")}">`);
      children[close] = text(Token, "</span>");
    }
}

function text(Token, content) {
  const token = new Token("html_inline", "", 0);
  token.content = content;
  return token;
}
