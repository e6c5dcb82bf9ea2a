// After a build: every page is there, can be searched, and loads nothing from elsewhere. Links are the reader's to follow.
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";

const dist = path.join(import.meta.dirname, ".vitepress/dist");
const files = readdirSync(dist, { recursive: true, encoding: "utf8" });
const textOf = (file) => readFileSync(path.join(dist, file), "utf8");
const problems = [];

for (const page of readdirSync(import.meta.dirname, { recursive: true, encoding: "utf8" })) {
  if (!page.endsWith(".md") || /node_modules|\.vitepress/.test(page)) continue;
  const built = page === "README.md" ? "index.html" : page.replace(/\.md$/, ".html");
  if (!files.includes(built)) problems.push(`${page} is not in the site`);
}
for (const file of files.filter((name) => /\.(html|css)$/.test(name)))
  for (const [loaded] of textOf(file).matchAll(
    /<(?:script|link|img|iframe|source)\b[^>]*(?:src|href)="(?:https?:)?\/\/[^"]*"|(?:url\(|@import )["']?(?:https?:)?\/\/[^)"']*/g,
  ))
    problems.push(`${file} loads ${loaded}`);
if (!files.some((name) => /localSearchIndex/.test(name))) problems.push("there is no index to search in");

if (problems.length > 0) {
  console.error(problems.join("\n"));
  process.exit(1);
}
console.log(
  `${files.filter((name) => name.endsWith(".html")).length} pages, which load nothing from elsewhere`,
);
