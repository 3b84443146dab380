/** A run's status as a document: the page is made of it as the records are. Pure. */
import type { Document, Tone } from "../render/document";
import { moment } from "../render/values";
import type { Status } from "./status";
import { answer, etcd, longestGap, ofAbout, pods, snapshot, turn, windowLeft } from "./words";

const TONES: Record<Status["nodes"][number]["state"], Tone | undefined> = {
  waiting: "quiet",
  "at work": undefined,
  done: "good",
  failed: "bad",
};

export function statusDocument(status: Status): Document {
  const { changeId, run, does, done, of, nodes, api, ifItFails, around } = status;
  const failed = nodes.filter(({ state }) => state === "failed").map(({ name }) => name);
  const step = around[0] ?? nodes.find((node) => node.step)?.step;
  return {
    kind: "Live",
    title: `${changeId}, run ${run}`,
    lede: does,
    verdict:
      failed.length > 0
        ? { tone: "bad", text: `It failed at ${failed.join(", ")}.` }
        : { tone: "quiet", text: step ? `Now: ${step.title} (${step.id})` : "Between two steps." },
    facts: [
      ["Steps done", `${done} of ${of}`],
      ["Time", ofAbout(status.elapsedSeconds, status.expectedSeconds)],
      ["Window", windowLeft(status)],
      ["All servers away at once, at most", longestGap(status.anyServerGapSeconds)],
      ["Pods not running", pods(status)],
      ["As of", moment(status.at)],
    ],
    sections: [
      {
        id: "nodes",
        title: "Nodes",
        blocks: [
          {
            kind: "table",
            caption: "Each node, in the order of its turn",
            columns: ["Node", "Role", "State", "Its turn", "Step", "This step"],
            rows: nodes.map((node) => [
              node.name,
              node.role,
              { text: node.state, tone: TONES[node.state] },
              turn(node),
              node.step?.title ?? "none",
              node.step ? ofAbout(node.step.elapsedSeconds, node.step.expectedSeconds) : "none",
            ]),
          },
        ],
      },
      {
        id: "api",
        title: "API and etcd",
        blocks: [
          status.notWatched
            ? { kind: "text", text: `Not measured: ${status.notWatched}` }
            : {
                kind: "table",
                caption: "Asked once a second; etcd by each API server's own check of it",
                columns: ["Target", "Answers now", "Longest gap so far", "etcd"],
                rows: api.map((one) => [
                  one.target,
                  { text: answer(one), tone: one.ms === undefined ? "bad" : "good" },
                  longestGap(one.longestGapSeconds),
                  { text: etcd(one), tone: one.etcd === false ? "bad" : "quiet" },
                ]),
              },
        ],
      },
      {
        id: "fails",
        title: "If it fails now",
        blocks: [
          { kind: "list", items: ifItFails.next },
          {
            kind: "facts",
            facts: [
              ["Lost by going back", ifItFails.lost],
              ["Snapshot", snapshot(status)],
              ["Window", windowLeft(status)],
            ],
          },
        ],
      },
    ],
    footer: ["This is how the run stands, not a record: npm run change -- report writes that."],
  };
}
