/** One document of each kind, of a change that failed once. */
import { evidenceOf } from "../../report/evidence";
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
export const documents = {
  "change request": planDocument(plan),
  report: reportDocument(reportRecord(evidence, plan, "e".repeat(64)), plan),
};
