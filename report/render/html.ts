/** A record as one page that needs nothing beside itself. Every text is escaped by the template library. */
import { html, raw } from "hono/html";
import { type Block, type Cell, cell, type Document, type Section, type Tone } from "./document";
import { STYLE } from "./style";
import { timeline } from "./timeline";

type Html = ReturnType<typeof html>;

/** Beside a colour, what it means: nobody has to see the colour. */
const MARKS: Record<Tone, string> = { good: "✔", warn: "⚠", bad: "✖", quiet: "" };

/** The whole page. @param script for one that is alive; a record has none */
export async function toHtml(document: Document, script?: string): Promise<string> {
  const { kind, title, lede, verdict, facts, sections, footer } = document;
  const page = await html`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<style>${raw(STYLE)}</style>
</head>
<body>
<a class="skip" href="#content">Skip to the content</a>
<header>
<p class="kind">${kind}</p>
<h1>${title}</h1>
<p class="lede">${lede}</p>
<p class="verdict ${verdict.tone}"><span aria-hidden="true">${MARKS[verdict.tone]}</span> ${verdict.text}</p>
${factList(facts, "facts cards")}
</header>
<nav aria-label="Contents"><h2>Contents</h2><ol>${sections.map(({ id, title }) => html`<li><a href="#${id}">${title}</a></li>`)}</ol></nav>
<main id="content">
${sections.map(section)}
</main>
<footer>${footer.map((line) => html`<p>${line}</p>`)}</footer>
${script === undefined ? "" : html`<script>${raw(script)}</script>\n`}</body>
</html>
`;
  return page.toString();
}

const section = ({ id, title, blocks }: Section): Html =>
  html`<section aria-labelledby="${id}"><h2 id="${id}">${title}</h2>${blocks.map(block)}</section>`;

function block(given: Block): Html {
  switch (given.kind) {
    case "text":
      return html`<p>${given.text}</p>`;
    case "list":
      return html`<ul>${given.items.map((item) => html`<li>${item}</li>`)}</ul>`;
    case "facts":
      return factList(given.facts, "facts");
    case "table":
      return table(given);
    case "code":
      return html`<details><summary>${given.title}</summary><pre tabindex="0"><code>${given.text}</code></pre></details>`;
    case "timeline":
      return timeline(given);
  }
}

const factList = (facts: Document["facts"], name: string): Html =>
  html`<dl class="${name}">${facts.map(([label, value]) => html`<div><dt>${label}</dt><dd>${inline(value)}</dd></div>`)}</dl>`;

function table({ caption, columns, rows }: Extract<Block, { kind: "table" }>): Html {
  return html`<section class="scroll" tabindex="0" aria-label="${caption}"><table><caption>${caption}</caption>
<thead><tr>${columns.map((name) => html`<th scope="col">${name}</th>`)}</tr></thead>
<tbody>${rows.map(
    (
      row,
    ) => html`<tr>${row.map((one, i) => (i === 0 ? html`<th scope="row">${inline(one)}</th>` : html`<td>${inline(one)}</td>`))}</tr>
`,
  )}</tbody></table></section>`;
}

/** A moment on its own, which is not to be broken in two. */
const MOMENT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;

function inline(given: Cell): Html {
  const { text, tone, code } = cell(given);
  const shown = code
    ? html`<code class="${text.length > 24 ? "long" : "short"}">${text}</code>`
    : MOMENT.test(text)
      ? html`<time>${text}</time>`
      : html`${text}`;
  if (!tone) return shown;
  return html`<span class="${tone}">${MARKS[tone] ? html`<span aria-hidden="true">${MARKS[tone]}</span> ` : ""}${shown}</span>`;
}
