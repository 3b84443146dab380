/** The pages as a validator sees them. What a browser sees: test/stories/page.test.ts. */
import assert from "node:assert/strict";
import { HtmlValidate } from "html-validate";
import { toHtml } from "../../report/render/html";
import { documentsOf } from "./documents";

for (const [name, document] of Object.entries(documentsOf())) {
  describe(`report/render: the page of the ${name}`, () => {
    it("is valid HTML", async () => {
      const validator = new HtmlValidate({ root: true, extends: ["html-validate:standard"] });
      const { results } = await validator.validateString(await toHtml(document));
      const said = results.flatMap(({ messages }) =>
        messages.map(({ line, message }) => `${line}: ${message}`),
      );
      assert.deepEqual(said, []);
    });
  });
}
