/** The status page in a browser: it goes along with the run, can be held, and says when the run is gone. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "mocha";
import puppeteer, { type Browser } from "puppeteer-core";
import { serveStatus } from "../../report/live/statusPage";
import { statusAt } from "../report/live/statusFixture";

describe("the status page, in a browser", () => {
  let browser: Browser;
  before(async () => {
    browser = await puppeteer.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
  });
  after(() => browser?.close());

  it("shows what is now, holds still when told to, and says that the run no longer answers", async () => {
    const [before, later, last] = [41, 42, 43].map((done) => ({ ...statusAt(), done }));
    let now = before;
    const server = await serveStatus(0, () => now);
    const page = await browser.newPage();
    const faults: string[] = [];
    page.on("pageerror", (error) => faults.push(String(error)));
    page.on("console", (message) => message.type() === "error" && faults.push(message.text()));
    const shows = (text: string) =>
      page.waitForFunction(`document.body.textContent.includes(${JSON.stringify(text)})`);
    try {
      await page.goto(server.url);
      await shows("41 of 102");
      now = later;
      await shows("42 of 102");
      assert.deepEqual(faults, []);
      await page.click("button");
      await shows("Go on");
      now = last;
      const asked: string[] = [];
      page.on("request", (request) => asked.push(request.url()));
      await new Promise((resolve) => setTimeout(resolve, 2_500));
      assert.deepEqual(asked, []);
      await page.click("button");
      await shows("43 of 102");
    } finally {
      server.close();
    }
    await shows("The run no longer answers");
    await page.close();
  });
});
