/** One document of each kind, of a change that failed once and was finished. */

import { statusDocument } from "../../report/live/statusDocument";
import { planDocument } from "../../report/render/planDocument";
import { reportDocument } from "../../report/render/reportDocument";
import { reportRecord } from "../../report/report";
import { accessOf, evidenceWith, historyEntry, planned, settingsOf } from "./fixtures";
import { statusAt } from "./live/statusFixture";

const settings = settingsOf();
const history = [historyEntry(settings, 0, "failed"), historyEntry(settings, 200, "succeeded")];

export const documentsOf = (plan = planned(settings)) => ({
  "change request": planDocument(plan),
  status: statusDocument(statusAt()),
  report: reportDocument(
    reportRecord(evidenceWith(settings, history), plan, "e".repeat(64), accessOf(settings)),
    plan,
  ),
});
