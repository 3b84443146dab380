/** A timeline as rows of bars, one row a lane. The tables beside it say the same in words. */
import { html } from "hono/html";
import { duration } from "../../config";
import type { Bar, Block } from "./document";

/** Distances of the lines behind the bars, seconds: the first that leaves no more than eight. */
const GRIDS = [15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 28_800, 86_400, 604_800];

export function timeline({ caption, begins, bars }: Extract<Block, { kind: "timeline" }>) {
  const end = Math.max(1, ...bars.map(({ to }) => to));
  const grid = GRIDS.find((seconds) => end / seconds <= 8) ?? end;
  const ticks = Array.from({ length: Math.floor(end / grid) + 1 }, (_, i) => i * grid);
  const lanes = [...new Set(bars.map(({ lane }) => lane))];
  const percent = (seconds: number) => `${((seconds / end) * 100).toFixed(3)}%`;
  const bar = ({ label, from, to, tone }: Bar) =>
    html`<span class="bar ${tone ?? ""}" style="left:${percent(from)};width:${percent(Math.max(0, to - from))}" title="${label}: ${duration(Math.round(to - from))}"></span>`;
  const summary = `${caption}: ${lanes.map((lane) => `${lane}, ${duration(Math.round(spanOf(bars, lane)))}`).join("; ")}`;
  return html`<figure><figcaption>${caption}. ${begins}</figcaption><div class="timeline" role="img" aria-label="${summary}">
${lanes.map(
  (
    lane,
  ) => html`<div class="lane"><span class="name">${lane}</span><span class="track">${bars.filter((one) => one.lane === lane).map(bar)}</span><span class="took">${duration(Math.round(spanOf(bars, lane)))}</span></div>
`,
)}<div class="lane axis"><span class="name"></span><span class="track">${ticks.map((at) => html`<span class="tick" style="left:${percent(at)}">${at === 0 ? "0" : duration(at)}</span>`)}</span><span class="took"></span></div>
</div></figure>`;
}

/** From a lane's first beginning to its last end. */
function spanOf(bars: readonly Bar[], lane: string): number {
  const own = bars.filter((bar) => bar.lane === lane);
  return Math.max(...own.map(({ to }) => to)) - Math.min(...own.map(({ from }) => from));
}
