/** The pages as a validator and a browser see them. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { HtmlValidate } from "html-validate";
import type { Browser } from "puppeteer-core";
import { evidenceOf } from "../../report/evidence";
import { toHtml } from "../../report/render/html";
import { planDocument } from "../../report/render/planDocument";
import { reportDocument } from "../../report/render/reportDocument";
import { reportRecord } from "../../report/report";
import { historyEntry, planned, settingsOf, stateOf } from "./fixtures";

const settings = settingsOf();
const plan = planned(settings);
const history = [historyEntry(settings, 0, "failed"), historyEntry(settings, 200, "succeeded")];
const evidence = evidenceOf({
  changeId: "CR-1",
  stack: "lab",
  resources: stateOf(settings),
  history,
  runs: [],
});
const documents = {
  "change request": planDocument(plan),
  report: reportDocument(reportRecord(evidence, plan, "e".repeat(64)), plan),
};

/** Debian's Chromium, which run.sh installs; undefined where there is none. */
function chromium(): string | undefined {
  try {
    return execFileSync("which", ["chromium"], { encoding: "utf8" }).trim();
  } catch {
    return undefined;
  }
}

for (const [name, document] of Object.entries(documents)) {
  describe(`report/render: the page of the ${name}`, () => {
    it("is valid HTML", async () => {
      const validator = new HtmlValidate({ root: true, extends: ["html-validate:standard"] });
      const { results } = await validator.validateString(await toHtml(document));
      const said = results.flatMap(({ messages }) =>
        messages.map(({ line, message }) => `${line}: ${message}`),
      );
      assert.deepEqual(said, []);
    });

    describe("in a browser", () => {
      let browser: Browser;
      before(async function () {
        const executablePath = chromium();
        if (!executablePath) return this.skip();
        const puppeteer = await import("puppeteer-core");
        browser = await puppeteer.launch({ executablePath, args: ["--no-sandbox"] });
      });
      after(() => browser?.close());

      for (const scheme of ["light", "dark"]) {
        it(`has nothing that axe finds fault with, ${scheme}; asks for nothing outside itself`, async () => {
          const page = await browser.newPage();
          const asked: string[] = [];
          page.on("request", (request) => asked.push(request.url()));
          await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
          await page.setContent(await toHtml(document));
          assert.deepEqual(asked, []);
          await page.evaluate(readFileSync(require.resolve("axe-core/axe.min.js"), "utf8"));
          const faults = (await page.evaluate(
            "axe.run().then((found) => found.violations.map((one) => one.id + ': ' + one.nodes[0].html))",
          )) as string[];
          assert.deepEqual(faults, []);
          await page.close();
        });
      }
    });
  });
}
