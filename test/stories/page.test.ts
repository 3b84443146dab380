/** The pages as a browser sees them: Debian's Chromium, which run.sh installs for the stories. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, it } from "mocha";
import puppeteer, { type Browser } from "puppeteer-core";
import { toHtml } from "../../report/render/html";
import { documentsOf } from "../report/documents";

for (const [name, document] of Object.entries(documentsOf())) {
  describe(`the page of the ${name}, in a browser`, () => {
    let browser: Browser;
    before(async () => {
      browser = await puppeteer.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
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
}
