import { Document, type ToStringOptions } from "yaml";
import type { GeneratedFile } from "./generated-file.ts";

/** One way to write the same value, whatever the library's defaults become. */
const STYLE: ToStringOptions = { lineWidth: 0, indent: 2, indentSeq: true, minContentWidth: 0 };

/**
 * A YAML file of one or more documents, in the order of their keys.
 * Text is quoted where YAML 1.1, which Kubernetes reads ("on"), or 1.2 ("1e3") would take it for something else.
 * @param header comment at the top
 */
export function yamlFile(name: string, header: string, documents: readonly object[]): GeneratedFile {
  const texts = documents.map((value) =>
    new Document(value, { aliasDuplicateObjects: false, version: "1.1", compat: "core" }).toString(STYLE),
  );
  return { name, content: `# ${header}\n${texts.join("---\n")}` };
}
