/**
 * All that is live of a run, in the run's own process: it listens to the engine, watches the API, tells what happens, and
 * keeps the status and its page. Whatever of it fails costs what it would have shown, never the run.
 */
import { rm } from "node:fs/promises";
import { backupToGoTo } from "../../components/etcdBackups";
import type { Settings } from "../../config";
import { asFile } from "../canonical";
import type { Run } from "../evidenceSchema";
import type { PlanRecord } from "../planSchema";
import type { StackChoice } from "../pulumi";
import type { RunFiles } from "../runFiles";
import { stepOf } from "../stepName";
import { writeWhole } from "../wholeFile";
import { accessTo } from "./access";
import { type Availability, availability } from "./availability";
import { stepEvent } from "./engineEvents";
import { type EngineServer, listenToEngine } from "./engineServer";
import { advance, type Progress } from "./progress";
import { begun, ended, nodeDone } from "./runEvents";
import { type Line, LineFile } from "./series";
import { type Status, statusOf } from "./status";
import { type StatusServer, serveStatus } from "./statusPage";
import { type Sink, Teller } from "./tell";
import { targetsOf, Watch } from "./watch";

const STATUS_EVERY_MS = 1_000;
/** The sums over the whole series, and the age of the latest snapshot, are made anew so often. */
const SUMS_EVERY = 5;

export interface LiveInputs {
  readonly files: RunFiles;
  readonly run: Run;
  readonly plan: PlanRecord;
  readonly settings: Settings;
  readonly stack: StackChoice;
  readonly sinks: readonly Sink[];
  /** Where the status page is served; undefined: nowhere. */
  readonly statusPort?: number;
}

export class Live {
  private progress: Progress = new Map();
  private readonly ids: ReadonlySet<string>;
  private readonly series: Line[] = [];
  private readonly teller: Teller;
  private readonly watch: Watch;
  private readonly watchFile: LineFile;
  private readonly eventFile: LineFile;
  private sums: Availability = availability(0, []);
  private snapshotTakenAt?: Date;
  private status?: Status;
  private beat?: NodeJS.Timeout;
  private beating: Promise<void> = Promise.resolve();
  private engine?: EngineServer;
  private page?: StatusServer;

  constructor(private readonly inputs: LiveInputs) {
    const { files, plan, settings, stack, sinks } = inputs;
    this.ids = new Set(plan.steps.map(({ id }) => id));
    this.watchFile = new LineFile(files.watch, complain("the watch's series"));
    this.eventFile = new LineFile(files.events, complain("the run's events"));
    this.teller = new Teller([(event) => this.eventFile.append(event), ...sinks]);
    this.watch = new Watch(
      targetsOf(settings),
      () => accessTo(settings, stack),
      (line) => {
        this.series.push(line);
        this.watchFile.append(line);
      },
    );
  }

  /** Begins all of it. @returns what `pulumi up` is given, so that it can be listened to */
  async begin(): Promise<Pick<EngineServer, "args" | "variables">> {
    const { plan, files, run, statusPort } = this.inputs;
    this.teller.tell(begun(plan, new Date().toISOString(), files.number, run.by));
    this.watch.start();
    if (statusPort !== undefined) {
      this.page = await serveStatus(statusPort, () => this.status).catch(complain("the status page"));
      if (this.page)
        console.log(`status page: ${this.page.url} (and ${this.page.url}status.json), on this machine`);
    }
    const lost = complain("the status");
    let turn = 0;
    this.beat = setInterval(() => {
      this.beating = this.beating.then(() => this.keepStatus(turn++)).catch(lost);
    }, STATUS_EVERY_MS);
    this.engine = await listenToEngine((event) => this.hear(event)).catch(complain("the engine's events"));
    return this.engine ?? { args: [], variables: {} };
  }

  /** Ends all of it, and tells how the run ended. @param errors what its engine said of its failures */
  async end(code: number, errors: readonly string[]): Promise<void> {
    clearInterval(this.beat);
    this.engine?.close();
    this.page?.close();
    await this.watch.stop();
    await this.beating;
    const { plan, files } = this.inputs;
    this.teller.tell(ended(plan, this.progress, new Date().toISOString(), code, errors));
    await this.teller.done();
    await Promise.all([this.watchFile.done(), this.eventFile.done()]);
    await rm(files.status, { force: true });
  }

  private hear(event: unknown): void {
    const step = stepEvent(event);
    if (!step) return;
    const before = this.progress;
    this.progress = advance(before, this.ids, step);
    const { plan } = this.inputs;
    const node = plan.steps.find(({ id }) => id === stepOf(step.name, this.ids))?.node;
    const at = new Date(step.at).toISOString();
    const done = node && nodeDone(plan, node, before, this.progress, at);
    if (done) this.teller.tell(done);
  }

  private async keepStatus(turn: number): Promise<void> {
    const { files, run, plan, settings } = this.inputs;
    if (turn % SUMS_EVERY === 0) {
      this.sums = availability(files.number, this.series);
      // Going forward within a minor etcd goes back only where the servers' machines are lost.
      const strategy = settings.goBack?.strategy ?? "rollback";
      this.snapshotTakenAt = (await backupToGoTo(settings, strategy))?.takenAt;
    }
    this.status = statusOf(
      {
        ...{ run: files.number, startedAt: run.startedAt, settings, plan, progress: this.progress },
        ...{ watched: this.watch.seen(), availability: this.sums, snapshotTakenAt: this.snapshotTakenAt },
      },
      new Date(),
    );
    await writeWhole(files.status, asFile(this.status));
  }
}

/** Says once what the run goes on without. */
function complain(what: string): (error: unknown) => undefined {
  let said = false;
  return (error) => {
    if (!said)
      console.error(`${what} could not be kept: ${(error as Error).message}; the run goes on without`);
    said = true;
    return undefined;
  };
}
