/**
 * Asks every API server, and the address that clients use, once a second for as long as a run takes. Each target is asked
 * by a loop of its own: one that is silent holds up no other, and none is asked twice at a time. Nothing of it ever throws.
 */
import { setTimeout as pause } from "node:timers/promises";
import type { Settings } from "../../config";
import type { Access, Address } from "./access";
import { podsNotRunning } from "./pods";
import { sample } from "./readiness";
import { API_ADDRESS, type Line, type Sample } from "./series";

const EVERY_MS = 1_000;
const PODS_EVERY_MS = 10_000;
/** So often a kubeconfig is looked for where there is none yet. */
const ACCESS_EVERY_MS = 15_000;

/** RKE2's and kubeadm's own. */
const API_PORT = 6443;

/** One that is asked. */
export interface Target extends Address {
  readonly name: string;
}

/** The servers, then the cluster's own address where it is none of theirs. */
export function targetsOf({ servers, apiAddress }: Pick<Settings, "servers" | "apiAddress">): Target[] {
  const own = servers.map(({ name, address }) => ({ name, host: address, port: API_PORT }));
  if (own.some(({ host }) => host === apiAddress)) return own;
  return [...own, { name: API_ADDRESS, host: apiAddress, port: API_PORT }];
}

/** What is known now. */
export interface Watched {
  /** The latest sample of each target. */
  readonly latest: ReadonlyMap<string, Sample>;
  /** Pods that do not run, or why nobody knows. */
  readonly pods: { readonly notRunning: readonly string[] } | { readonly missing: string };
}

export class Watch {
  private readonly stopping = new AbortController();
  private readonly latest = new Map<string, Sample>();
  private pods: Watched["pods"] = { missing: "not asked yet" };
  private access?: Access;
  private ended: Promise<unknown> = Promise.resolve();
  private lastNote = "";

  /**
   * @param credentials asked again until it gives some
   * @param keep is given every line of the series
   */
  constructor(
    private readonly targets: readonly Target[],
    private readonly credentials: () => Promise<Access>,
    private readonly keep: (line: Line) => void,
  ) {}

  start(): void {
    this.ended = this.begin().catch((error: Error) => this.note(`the watch broke off: ${error.message}`));
  }

  /** Ends every question that is under way; one to a server over SSH is left to its own bound. */
  async stop(): Promise<void> {
    const { signal } = this.stopping;
    const stopped = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
    this.stopping.abort();
    await (this.access ? this.ended : stopped);
  }

  seen(): Watched {
    const inOrder = this.targets.flatMap(({ name }): [string, Sample][] => {
      const seen = this.latest.get(name);
      return seen ? [[name, seen]] : [];
    });
    return { latest: new Map(inOrder), pods: this.pods };
  }

  private async begin(): Promise<void> {
    await this.every(ACCESS_EVERY_MS, async () => {
      try {
        this.access = await this.credentials();
      } catch (error) {
        this.note(`no kubeconfig yet: ${(error as Error).message}`);
      }
      return this.access === undefined;
    });
    const { access } = this;
    if (!access || this.stopping.signal.aborted) return;
    await Promise.all([
      ...this.targets.map((target) => this.every(EVERY_MS, () => this.askReady(target, access))),
      this.every(PODS_EVERY_MS, () => this.askPods(access)),
    ]);
  }

  private async askReady(target: Target, access: Access): Promise<boolean> {
    const seen = await sample(target.name, target, access, this.stopping.signal);
    if (seen) {
      this.latest.set(target.name, seen);
      this.keep(seen);
    }
    return true;
  }

  private async askPods(access: Access): Promise<boolean> {
    const answers =
      this.targets.find(({ name }) => this.latest.get(name)?.ms !== undefined) ?? this.targets[0];
    try {
      if (!answers) throw new Error("there is no API server");
      const notRunning = await podsNotRunning(answers, access, this.stopping.signal);
      this.pods = { notRunning };
      this.keep({ at: new Date().toISOString(), podsNotRunning: notRunning.length });
    } catch (error) {
      this.pods = { missing: (error as Error).message };
    }
    return true;
  }

  private note(note: string): void {
    if (note !== this.lastNote) this.keep({ at: new Date().toISOString(), note });
    this.lastNote = note;
  }

  /** Asks at once and then in step with the clock it began by, until told to stop or `ask` says that it was enough. */
  private async every(periodMs: number, ask: () => Promise<boolean>): Promise<void> {
    const { signal } = this.stopping;
    // No clock that somebody may set: it would stand still, or ask in a rush.
    const began = performance.now();
    for (let turn = 0; !signal.aborted && (await ask()); ) {
      // A turn that took longer leaves out those that it slept through.
      turn = Math.max(turn + 1, Math.ceil((performance.now() - began) / periodMs));
      await pause(began + turn * periodMs - performance.now(), undefined, { signal }).catch(() => {});
    }
  }
}
