/** A run's status as lines for a terminal of some size. Pure. */
import type { Status } from "./status";
import { answer, etcd, longestGap, ofAbout, pods, snapshot, turn, windowLeft } from "./words";

const MARKS = { waiting: "·", "at work": "▶", done: "✔", failed: "✖" } as const;

/**
 * What matters now. On a small screen nodes that wait or are done are left out first, and are counted.
 * @param columns @param rows of the terminal; it never scrolls by this
 */
export function lines(status: Status, columns: number, rows: number): string[] {
  const rest = [...apiLines(status), ...failLines(status).flatMap((line) => wrap(line, columns))];
  const room = Math.max(3, rows - 2 - HEAD - rest.length);
  return [headline(status), ...aroundLines(status), ...nodeLines(status, room), ...rest]
    .slice(0, Math.max(1, rows - 1))
    .map((line) => cut(line, columns));
}

/** Lines above the nodes. */
const HEAD = 2;

const headline = ({ changeId, run, does, done, of, elapsedSeconds, expectedSeconds }: Status): string =>
  `── ${changeId}, run ${run}: ${does} · step ${done} of ${of} done · ${ofAbout(elapsedSeconds, expectedSeconds)}`;

const aroundLines = ({ around }: Status): string[] =>
  around
    .slice(0, 1)
    .map(
      ({ title, elapsedSeconds, expectedSeconds }) =>
        `   ${title} (${ofAbout(elapsedSeconds, expectedSeconds)})`,
    );

function nodeLines({ nodes }: Status, room: number): string[] {
  const shown = nodes.length <= room ? nodes : busiest(nodes, room - 1);
  const width = Math.max(4, ...nodes.map(({ name }) => name.length));
  const left = nodes.length - shown.length;
  return [
    ...shown.map((node) => {
      const { name, state, step } = node;
      const at = step ? `${step.title} (${ofAbout(step.elapsedSeconds, step.expectedSeconds)})` : "";
      return ` ${MARKS[state]} ${name.padEnd(width)}  ${state.padEnd(7)}  ${turn(node).padEnd(30)}  ${at}`.trimEnd();
    }),
    ...(left > 0 ? [`   and ${left} more nodes, ${count(nodes, "done")} of all ${nodes.length} done`] : []),
  ];
}

/** Failed and at work first, then the next ones; in their own order. */
function busiest(nodes: Status["nodes"], room: number): Status["nodes"] {
  const order = ["failed", "at work", "waiting", "done"];
  const chosen = [...nodes]
    .sort((a, b) => order.indexOf(a.state) - order.indexOf(b.state))
    .slice(0, Math.max(1, room));
  return nodes.filter((node) => chosen.includes(node));
}

const count = (nodes: Status["nodes"], state: string): number =>
  nodes.filter((node) => node.state === state).length;

function apiLines(status: Status): string[] {
  const { api, anyServerGapSeconds, notWatched } = status;
  const width = Math.max(8, ...api.map(({ target }) => target.length));
  const watched = api.map(
    (one) =>
      ` API ${one.target.padEnd(width)}  ${answer(one)} · longest gap ${longestGap(one.longestGapSeconds)} · etcd ${etcd(one)}`,
  );
  return [
    ...(notWatched ? [` API not measured: ${notWatched}`] : watched),
    ...(notWatched ? [] : [` all servers away at once: ${longestGap(anyServerGapSeconds)}`]),
    ` pods not running: ${pods(status)}`,
  ];
}

const failLines = (status: Status): string[] => [
  ` if it fails now: ${snapshot(status)}; window: ${windowLeft(status)}`,
  ...status.ifItFails.next.map((line) => `   ${line}`),
  `   lost by going back: ${status.ifItFails.lost}`,
];

/** Broken between words, the same indent on every line: a command is read to its end. */
function wrap(line: string, columns: number): string[] {
  const indent = /^ */.exec(line)?.[0] ?? "";
  const width = columns - 2;
  const found: string[] = [];
  for (const word of line.trimStart().split(" ")) {
    const last = found.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width)
      found[found.length - 1] = `${last} ${word}`;
    else found.push(`${indent}${word}`);
  }
  return found;
}

/** To the width, control characters out: no text of a node moves the cursor. */
function cut(line: string, columns: number): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
  const plain = [...line.replace(/[\u0000-\u001f\u007f-\u009f]/g, " ")];
  return plain.length < columns ? plain.join("") : `${plain.slice(0, Math.max(1, columns - 2)).join("")}…`;
}
