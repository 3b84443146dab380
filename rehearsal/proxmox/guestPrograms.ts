import type { Guests } from "./method";

/** A program that a guest agent was asked to run, as `guest-exec-status` tells of it. */
interface GuestProgram {
  readonly vmId: number;
  /** Absent while it runs. */
  ended?: { readonly code: number; readonly stdout: string; readonly stderr: string };
}

/** Programs that guest agents run. As a real agent, it forgets one once it has told of its end. */
export class GuestPrograms {
  private readonly programs = new Map<number, GuestProgram>();
  private pid = 1000;

  constructor(private readonly guests: Guests) {}

  /** Starts one and answers at once. @returns its process ID */
  start(vmId: number, command: readonly string[], input: string): number {
    const pid = ++this.pid;
    const program: GuestProgram = { vmId };
    this.programs.set(pid, program);
    this.guests.execute(vmId, command, input).then(
      (ended) => {
        program.ended = ended;
      },
      (error: Error) => {
        program.ended = { code: 255, stdout: "", stderr: error.message };
      },
    );
    return pid;
  }

  /** How one stands; undefined where the agent knows none of that ID. */
  status(vmId: number, pid: number): GuestProgram | undefined {
    const program = this.programs.get(pid);
    if (program?.vmId !== vmId) return undefined;
    if (program.ended) this.programs.delete(pid);
    return program;
  }
}
