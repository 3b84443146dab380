import assert from "node:assert/strict";
import fc from "fast-check";
import { toHtml } from "../../report/render/html";
import { plain, toMarkdown } from "../../report/render/markdown";
import { documentsOf } from "./documents";
import { inputsOf, planned, seenOf, settingsOf } from "./fixtures";

const settings = settingsOf();
const HOSTILE = `<script src="https://evil.example/x.js"></script>"'&| \`code\` *bold* [a](javascript:alert(1))`;
const seen = seenOf(settings);
const hostile = planned(settings, {
  preview: {
    ...inputsOf(settings).preview,
    seen: {
      ...seen,
      findings: [{ check: HOSTILE, found: HOSTILE, wanted: HOSTILE, verdict: "warn", next: HOSTILE }],
    },
  },
});
for (const [name, document] of Object.entries(documentsOf(hostile))) {
  describe(`report/render: the ${name}`, () => {
    it("is one page without any outside reference and without scripts", async () => {
      const page = await toHtml(document);
      assert.ok(!/<script/i.test(page));
      assert.ok(!/<(link|img|iframe|object|embed|base)\b/i.test(page));
      assert.ok(!/@import|url\(/i.test(page));
      for (const [, link] of page.matchAll(/(?:href|src)="([^"]*)"/g)) assert.match(link ?? "", /^#/);
    });

    it("has landmarks, one h1, headings in order, captions and scopes, and no ID twice", async () => {
      const page = await toHtml(document);
      for (const landmark of ["<header>", "<nav", "<main", "<footer>"])
        assert.equal(page.split(landmark).length, 2, landmark);
      assert.equal(page.match(/<h1/g)?.length, 1);
      assert.ok(!/<h[3-6]/.test(page));
      const tables = page.match(/<table/g)?.length;
      assert.equal(page.match(/<caption/g)?.length, tables);
      assert.ok(!/<th(?! scope)[ >]/.test(page));
      const ids = [...page.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id);
      assert.equal(new Set(ids).size, ids.length);
      for (const [, target] of page.matchAll(/href="#([^"]*)"/g)) assert.ok(ids.includes(target), target);
    });

    it("says the same in Markdown: every section, every row of every table as one line", () => {
      const text = toMarkdown(document);
      for (const { title, blocks } of document.sections) {
        if (blocks.every(({ kind }) => kind === "timeline")) continue;
        assert.ok(text.includes(`## ${plain(title)}`), title);
        for (const block of blocks) {
          if (block.kind !== "table") continue;
          const lines = text
            .slice(text.indexOf(plain(block.caption)))
            .split("\n")
            .slice(2, 4 + block.rows.length);
          for (const line of lines)
            assert.equal(line.match(/(?<!\\)\|/g)?.length, block.columns.length + 1, line);
        }
      }
    });
  });
}

describe("report/render: escaping", () => {
  it("shows hostile text as text in HTML", async () => {
    const page = await toHtml(documentsOf(hostile)["change request"]);
    assert.ok(page.includes("&lt;script src=&quot;https://evil.example/x.js&quot;&gt;"));
  });

  it("leaves nothing that Markdown or HTML takes for markup, whatever the text", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(..."<>&|`*_[]\\~#\n ab!") }), (text) => {
        const shown = plain(text);
        assert.ok(!/[<>]/.test(shown.replaceAll("<br>", "")));
        assert.ok(!shown.includes("\n"));
        assert.ok(!/(?<!\\)(?:\\\\)*[`*_[\]|~#]/.test(shown.replace(/\\[`*_[\]|~#\\]/g, "")), shown);
      }),
    );
  });
});

describe("report/render/markdown", () => {
  it("begins no line where a text has one of any kind", () => {
    assert.equal(plain("a\rb\r\nc\nd"), "a<br>b<br>c<br>d");
  });
});
