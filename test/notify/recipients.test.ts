import assert from "node:assert/strict";
import { channelsFor, recipients } from "../../notify/recipients";
import { notices } from "../../report/notices";
import { settingsOf } from "../report/fixtures";

const stakeholders = {
  infrastructure: ["infra@example.org"],
  changeAdvisoryBoard: ["cab@example.org"],
  devOps: ["devops@example.org", "both@example.org"],
  operations: ["ops@example.org", "both@example.org"],
};
const smtp = { host: "mail.example.org", from: "rke2@example.org", to: ["all@example.org"] };
const settings = settingsOf({
  notifications: {
    smtp: { ...smtp, events: ["announcement", "failed", "done"] },
    glpi: { url: "https://glpi.example.org/apirest.php", events: ["failed"], inventory: false },
    stakeholders,
  },
});

describe("notify/recipients", () => {
  it("follows the matrix of procedure §2.3: validation is told to all but those who do it", () => {
    assert.deepEqual(recipients(settings, "done"), [
      "all@example.org",
      "cab@example.org",
      "devops@example.org",
      "both@example.org",
      "ops@example.org",
    ]);
    assert.ok(recipients(settings, "failed").includes("infra@example.org"));
    assert.equal(new Set(recipients(settings, "failed")).size, recipients(settings, "failed").length);
  });

  it("gives a channel what its events name, and no mail to nobody", () => {
    assert.deepEqual(channelsFor(settings, "failed"), ["smtp", "glpi"]);
    assert.deepEqual(channelsFor(settings, "done"), ["smtp"]);
    assert.deepEqual(channelsFor(settings, "start"), []);
    assert.deepEqual(channelsFor(settings, "inventory"), []);
    const few = settingsOf({
      notifications: { smtp: { ...smtp, to: [] }, stakeholders: { infrastructure: ["infra@example.org"] } },
    });
    assert.deepEqual(channelsFor(few, "failed"), ["smtp"]);
    assert.deepEqual(channelsFor(few, "done"), []);
  });

  it("stands in the plan as who is told when, and how", () => {
    const plan = notices(settings);
    assert.deepEqual(
      plan.map(({ when }) => when),
      [
        "in advance",
        "when it is approved",
        "before the first server",
        "before the first agent",
        "after the last node",
        "if it goes back",
      ],
    );
    assert.equal(
      plan[4]?.how,
      "done: mail to all@example.org, cab@example.org, devops@example.org, both@example.org, ops@example.org",
    );
    assert.match(
      plan[3]?.how ?? "",
      /^nodeDone, held: not by this program; failed: mail to .*; GLPI, a ticket of its own$/,
    );
    assert.ok(notices(settingsOf()).every(({ how }) => /^[\w, ]+: not by this program$/.test(how ?? "")));
  });
});
