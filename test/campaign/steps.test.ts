import assert from "node:assert/strict";
import { stepsDone } from "./steps";

const PRINTED = `Updating (rehearsal):
@ Updating....
 +  rke2-upgrade:rke2:Change change creating (0s)
 ~  pulumi-nodejs:dynamic/rke2:Preflight preflight updated (3s)
 +  command:remote:Command proj-k8sm01-gate-cluster creating (0s)
@ Updating....
 +  command:remote:Command proj-k8sm01-gate-cluster creating (0s) {"step":"gate-cluster","node":"proj-k8sm01"}
 +  command:remote:Command proj-k8sm01-gate-cluster created (0.59s)
 +- command:remote:Command proj-k8sm01-restart replaced (1s)
    command:remote:Command proj-k8sw01-drain 1 warning
Resources:
    + 3 created
`;

describe("the steps that a run says it is done with", () => {
  it("are found in the order in which they ended, those under way left out", () => {
    assert.deepEqual(stepsDone(PRINTED), ["preflight", "proj-k8sm01-gate-cluster", "proj-k8sm01-restart"]);
  });
});
