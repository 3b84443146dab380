/** Where the status page is to be served, as it was asked for on the command line. Pure. */

/** Of `apply`'s options what decides it. */
interface Asked {
  /** As it was typed. */
  readonly statusPort?: string;
  readonly attach?: boolean;
  readonly stop?: boolean;
}

/** @returns undefined where no page is wanted; 0 for any free port @throws where the port is none */
export function statusPortOf({ statusPort, attach, stop }: Asked): number | undefined {
  if (statusPort === undefined) return undefined;
  if (attach || stop) {
    throw new Error(
      "--status-port is for a run that is to begin: one that is at work has its page, or none, since it began. next: its address stands in the run's log",
    );
  }
  const port = /^\d{1,5}$/.test(statusPort) ? Number(statusPort) : Number.NaN;
  if (port === 0 || (port >= 1024 && port <= 65_535)) return port;
  throw new Error(
    `--status-port ${statusPort} is no port for the status page. next: 1024 to 65535, as --status-port 8080; or 0 for any that is free`,
  );
}
