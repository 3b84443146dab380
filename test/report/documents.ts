/** One document of each kind, of a change that failed once and was finished. */

import type { Evidence } from "../../report/evidenceSchema";

import { statusDocument } from "../../report/live/statusDocument";

import { planDocument } from "../../report/render/planDocument";
import { reportDocument } from "../../report/render/reportDocument";
import { reportRecord } from "../../report/report";
import { accessOf, evidenceWith, historyEntry, planned, settingsOf } from "./fixtures";
import { statusAt } from "./live/statusFixture";

const settings = settingsOf({
  notifications: {
    webhook: { url: "https://hooks.example.org/rke2" },
    smtp: { host: "mail.example.org", from: "rke2@example.org" },
    glpi: { url: "https://glpi.example.org/apirest.php", ticket: 1268 },
    stakeholders: { operations: ["operations@example.org"], changeAdvisoryBoard: ["cab@example.org"] },
  },
});
const history = [historyEntry(settings, 0, "failed"), historyEntry(settings, 200, "succeeded")];

const at = "2026-11-24T12:00:00.000Z";
const notifications: Evidence["notifications"] = [
  {
    ...{ at, channel: "smtp", kind: "failed", node: "proj-k8sw01", subject: "CR-1: failed at proj-k8sw01" },
    ...{ to: ["operations@example.org", "cab@example.org"], outcome: "not delivered", tries: 5 },
    detail: "connect ECONNREFUSED 10.0.0.9:587 | <b>`",
  },
  {
    ...{ at, channel: "glpi", kind: "done", subject: "CR-1: done", outcome: "delivered", tries: 1 },
    ...{ endedAt: at, detail: "ticket 1268" },
  },
];

export const documentsOf = (plan = planned(settings)) => ({
  "change request": planDocument(plan),
  status: statusDocument(statusAt()),
  report: reportDocument(
    reportRecord(
      { ...evidenceWith(settings, history), notifications },
      plan,
      "e".repeat(64),
      accessOf(settings),
    ),
    plan,
  ),
});
