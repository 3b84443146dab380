import {
  type ClusterNode,
  describeWindow,
  duration,
  type Estimate,
  goingBackTakesEtcd,
  isChanging,
  nextAfter,
  openAt,
  type Settings,
  type Span,
  utc,
} from "../../config";
import { type Facts, inTurn } from "../facts";
import { type Finding, must, should } from "../finding";
import { judgeBackupJobs } from "./backups";
import { judgeCritical } from "./critical";

/** What the timing of a run is judged by, worked out once. */
interface Clock {
  readonly settings: Settings;
  readonly at: Date;
  readonly estimate: Estimate;
  /** The stretch that is open now. */
  readonly open?: Span;
  /** The next one. */
  readonly next?: Span;
  /** Windows are left by name of this change. */
  readonly overridden: boolean;
}

function clockOf(settings: Settings, { at }: Facts, estimate: Estimate): Clock {
  const { windows, windowOverride, changeId } = settings;
  const [open, next] = [openAt(windows, at), nextAfter(windows, at)];
  return { settings, at, estimate, open, next, overridden: windowOverride === changeId };
}

/**
 * Timing before a run (procedure §3.1): the window, whether the servers and a rollback of them fit as one piece, how
 * far the agents will come, until when to decide to go back. While all windows are closed, the next one is judged.
 * Preview shows it; `up` refuses what fails. Critical workloads only warn here: they hold their own node's turn.
 */
export function judgeTiming(settings: Settings, facts: Facts, estimate: Estimate): Finding[] {
  if (!isChanging(settings)) return [];
  const clock = clockOf(settings, facts, estimate);
  return [
    judgeWindow(clock),
    ...judgeServers(clock),
    judgeWhole(clock),
    ...judgeBackupJobs(settings, facts, estimate),
    ...judgeCritical(settings, facts),
  ];
}

/**
 * Timing before one node's turn, asked afresh: a server's needs all remaining servers and their rollback to fit, an
 * agent's its own turn alone. A node already in its turn is finished, whatever the clock says.
 */
export function judgeTurnTiming(
  settings: Settings,
  facts: Facts,
  estimate: Estimate,
  node: ClusterNode,
): Finding[] {
  if (inTurn(settings, facts.cluster, node.name)) return [];
  const clock = clockOf(settings, facts, estimate);
  const left = node.role === "server" ? serversSeconds(estimate) : turnSeconds(estimate, node);
  const end = clock.open?.end;
  const fits = end !== undefined && clock.at.getTime() + left * 1000 <= end.getTime();
  const finding = {
    check: `${node.name}: its turn fits into the window`,
    found: `needs ${duration(left)}; ${end ? `the window closes at ${utc(end)}` : "no window is open"}, now ${utc(clock.at)}`,
    wanted:
      node.role === "server"
        ? "all remaining servers and their rollback before it closes"
        : "its turn before it closes",
  };
  const began = settings.servers.length > estimate.servers.length && node.role === "server";
  const next = began
    ? `decide now: go back, or finish the servers outside the window with ${overrideCommand(settings)}`
    : `held with every started node finished: ${nextRun(clock)}`;
  return [{ ...finding, ...allowed(clock, must(fits, next)) }, ...judgeCritical(settings, facts, node)];
}

/** All windows closed, or too short to start in. */
function judgeWindow(clock: Clock): Finding {
  const { settings, open, next, at, estimate } = clock;
  const wanted = `${settings.windows.map(describeWindow).join("; ")}, at least ${settings.limits.minimumWindowHours} h to start in`;
  const span = open ?? next;
  const starts = estimate.servers.length === settings.servers.length;
  const hours = span ? (span.end.getTime() - span.start.getTime()) / 3_600_000 : 0;
  const short = starts && hours < settings.limits.minimumWindowHours;
  const found = open
    ? `open until ${utc(open.end)}, now ${utc(at)}`
    : `closed now, ${utc(at)}; ${next ? `the next opens ${utc(next.start)} until ${utc(next.end)}` : "none opens within two weeks"}`;
  return {
    check: "timing: maintenance window",
    found: short && span ? `${found}, ${duration(Math.round(hours * 3600))} long` : found,
    wanted,
    ...allowed(
      clock,
      must(
        open !== undefined && !short,
        `${short ? "widen windows, or wait for a longer one" : `run pulumi up ${next ? `from ${utc(next.start)} on` : "in a window"}`}; to leave the window once, by name: ${overrideCommand(settings)}`,
      ),
    ),
  };
}

/** The servers are one piece: they start only if all that remain, and a rollback of them, still fit. */
function judgeServers(clock: Clock): Finding[] {
  const { estimate, settings } = clock;
  const starts = startOf(clock);
  const end = (clock.open ?? clock.next)?.end;
  if (!starts || !end) return [];
  const left = Math.floor((end.getTime() - starts.getTime()) / 1000);
  const before = duration(estimate.beforeSeconds);
  const late = `start earlier in a window, or widen it; to leave it once, by name: ${overrideCommand(settings)}`;
  const [wave] = estimate.waves;
  if (estimate.servers.length === 0) {
    if (!wave) return [];
    const needed = estimate.beforeSeconds + wave.seconds;
    return [
      {
        check: `timing: the next ${wave.nodes.length > 1 ? "agents fit" : "agent fits"}`,
        found: `${before} before, ${duration(wave.seconds)} for ${wave.nodes.join(", ")}; ${duration(left)} left`,
        wanted: `${duration(needed)} before ${utc(end)}`,
        ...allowed(clock, must(needed <= left, late)),
      },
    ];
  }
  const needed = estimate.beforeSeconds + serversSeconds(estimate);
  const deadline = new Date(end.getTime() - estimate.goBackSeconds * 1000);
  return [
    {
      check: "timing: all servers and their rollback fit",
      found: `${before} before, ${duration(sum(estimate.servers) + estimate.settleSeconds)} for ${estimate.servers.length} servers, ${duration(estimate.goBackSeconds)} to go back; ${duration(left)} left`,
      wanted: `${duration(needed)} before ${utc(end)}`,
      ...allowed(clock, must(needed <= left, late)),
    },
    {
      check: "timing: deadline to decide to go back",
      found: `${utc(deadline)}: if the servers are not done by then, they go back`,
      wanted: `${duration(estimate.goBackSeconds)} before the window closes (procedure §6.2: 60 min)`,
      verdict: "pass",
    },
  ];
}

/** How long all of it should take, and which agents will be left for another window. */
function judgeWhole(clock: Clock): Finding {
  const { estimate } = clock;
  const starts = startOf(clock) ?? clock.at;
  const end = (clock.open ?? clock.next)?.end;
  let at =
    starts.getTime() + 1000 * (estimate.beforeSeconds + sum(estimate.servers) + estimate.settleSeconds);
  const later: string[] = [];
  for (const { nodes, seconds } of estimate.waves) {
    at += seconds * 1000;
    if (end && at > end.getTime()) later.push(...nodes);
  }
  const ends = new Date(at + estimate.afterSeconds * 1000);
  const total = Math.round((ends.getTime() - starts.getTime()) / 1000);
  return {
    check: "timing: the whole change",
    found: `${duration(total)} expected, until about ${utc(ends)}${later.length > 0 ? `; left for another window: ${later.join(", ")}` : ""}; ${estimate.measuredSteps} of ${estimate.steps} steps measured here before, the others by durations`,
    wanted: end ? `done before ${utc(end)}` : "done in one window",
    ...should(
      end === undefined || ends <= end,
      `the run stops cleanly between agents; pulumi up in the next window goes on${goingBackTakesEtcd(clock.settings) ? `, where the etcd snapshot is older than ${clock.settings.limits.wayBackMaxAgeHours} h by then only once acceptedServers names ${clock.settings.changeId}: going back would lose what was written since it` : ""}`,
    ),
  };
}

/** When a run would begin: now where a window is open or overridden, else when the next opens. */
const startOf = ({ open, next, at, overridden }: Clock): Date | undefined =>
  open || overridden ? at : next?.start;

const sum = (turns: Estimate["servers"]): number => turns.reduce((total, { seconds }) => total + seconds, 0);

/** The remaining servers, and a rollback of all. */
const serversSeconds = (estimate: Estimate): number =>
  sum(estimate.servers) + estimate.settleSeconds + estimate.goBackSeconds;

const turnSeconds = ({ agents }: Estimate, { name }: ClusterNode): number =>
  agents.find(({ node }) => node === name)?.seconds ?? 0;

const overrideCommand = ({ changeId }: Settings): string =>
  `pulumi config set 'rke2-upgrade:windowOverride' ${changeId}`;

const nextRun = ({ next }: Clock): string =>
  next ? `the next window opens ${utc(next.start)}; run pulumi up then` : "widen windows; run pulumi up then";

/** A refusal that the operator has taken on by naming the change becomes a warning. */
function allowed({ overridden, settings }: Clock, verdict: ReturnType<typeof must>): ReturnType<typeof must> {
  if (verdict.verdict !== "fail" || !overridden) return verdict;
  return { verdict: "warn", next: `allowed: windowOverride names ${settings.changeId}` };
}
