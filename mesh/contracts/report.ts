/** The verdict in words, for the terminal and for the lines of a pull request. */
import type { Change } from "./change.ts";
import type { Problem } from "./examples/example.ts";
import type { Hits } from "./hits.ts";
import type { Verdict } from "./judge.ts";

type Finding = { readonly change: Change; readonly hits: Hits };

/** @param folder that the contract's files are named from: "proto/" */
export function inWords({ changes, problems, stale }: Verdict, folder: string): string {
  const blocks = [
    ...changes.map((finding) => changeBlock(finding, folder)),
    ...problems.map(({ file, line, problem }) => `${file}:${line}\n  ${problem}`),
    ...stale.map((id) => `note: accepted, but there is no such change (any more): ${id}`),
  ];
  return blocks.join("\n\n");
}

function changeBlock({ change, hits }: Finding, folder: string): string {
  const row = (title: string, values: readonly string[]) =>
    values.length > 0 ? [`  ${title.padEnd(10)}${values.join(`\n${" ".repeat(12)}`)}`] : [];
  return [
    `${folder}${change.file}:${change.line}  ${change.id}`,
    `  ${change.means}`,
    ...row("consumers", consumerWords(hits)),
    ...row("RPCs", hits.rpcs),
    ...row("REST", hits.routes),
    ...row("events", hits.events),
  ].join("\n");
}

function consumerWords({ consumers }: Hits): string[] {
  return [...consumers].map(([name, examples]) =>
    examples.length > 0
      ? `${name}: ${examples.map((example) => `"${example}"`).join(", ")}`
      : `${name}: relied on, no example`,
  );
}

/**
 * Commands of GitHub's runners, which show them at the lines of a pull request.
 * docs.github.com/actions/reference/workflow-commands-for-github-actions
 */
export function asAnnotations({ changes, problems }: Verdict, folder: string): string {
  const ofChanges = changes.map(({ change, hits }) => {
    const names = [...hits.consumers.keys()];
    const whom = names.length > 0 ? `Hits ${names.join(", ")}.` : "No consumer is hit, but more is allowed.";
    const lines = [change.means, whom, ...hits.routes, ...hits.events];
    return annotation(`${folder}${change.file}`, change.line, change.id, lines.join("\n"));
  });
  const ofProblems = problems.map(({ file, line, problem }: Problem) =>
    annotation(file, line, "consumer's example", problem),
  );
  return [...ofChanges, ...ofProblems].join("\n");
}

function annotation(file: string, line: number, title: string, text: string): string {
  const data = (value: string) =>
    value.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
  const property = (value: string) => data(value).replaceAll(":", "%3A").replaceAll(",", "%2C");
  return `::error file=${property(file)},line=${line},title=${property(title)}::${data(text)}`;
}
