/** A record as GitHub-flavoured Markdown, for a ticket. A timeline is left out: the tables beside it say the same. */
import { type Block, type Cell, cell, type Document, type Tone } from "./document";

const MARKS: Record<Tone, string> = { good: "✔", warn: "⚠", bad: "✖", quiet: "" };

/** The whole record. */
export function toMarkdown({ kind, title, lede, verdict, facts, sections, footer }: Document): string {
  const parts = [
    `# ${plain(title)}`,
    `*${plain(kind)}.* ${plain(lede)}`,
    `> ${MARKS[verdict.tone]} **${plain(verdict.text)}**`,
    factsOf(facts),
    ...sections.flatMap(({ title, blocks }) => {
      const texts = blocks.map(block).filter(Boolean);
      return texts.length > 0 ? [`## ${plain(title)}`, ...texts] : [];
    }),
    "---",
    footer.map(plain).join("  \n"),
  ];
  return `${parts.filter(Boolean).join("\n\n")}\n`;
}

function block(given: Block): string {
  switch (given.kind) {
    case "text":
      return plain(given.text);
    case "list":
      return given.items.map((item) => `- ${plain(item)}`).join("\n");
    case "facts":
      return factsOf(given.facts);
    case "table":
      return `${plain(given.caption)}:\n\n${table(given.columns, given.rows)}`;
    case "code":
      // A ticket is no place for thousands of lines: they stand in the data and on the page.
      return `- ${plain(given.title)}`;
    case "timeline":
      return "";
  }
}

const factsOf = (facts: Document["facts"]): string =>
  facts.map(([label, value]) => `- **${plain(label)}:** ${inline(value)}`).join("\n");

function table(columns: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const row = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [
    row(columns.map(plain)),
    row(columns.map(() => "---")),
    ...rows.map((cells) => row(cells.map(inline))),
  ].join("\n");
}

function inline(given: Cell): string {
  const { text, tone, code } = cell(given);
  const mark = tone && MARKS[tone] ? `${MARKS[tone]} ` : "";
  return mark + (code ? codeSpan(text) : plain(text));
}

/** Code spans know no escapes, tables do: a bar within one would end the cell. */
const codeSpan = (text: string): string =>
  /[`|\r\n]/.test(text) || text === "" ? plain(text) : `\`${text}\``;

/** Text that means nothing to Markdown, on one line. */
export const plain = (text: string): string =>
  text
    .replace(/\\(?=[!-/:-@[-`{-~])|[`*_[\]|~#]/g, "\\$&")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replace(/\r\n?|\n/g, "<br>");
