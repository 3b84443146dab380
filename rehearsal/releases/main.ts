import { parseArgs } from "node:util";
import { releaseServer } from "./server";

/**
 * Runs the release server until it is ended.
 * usage: main.ts --listen ADDRESS:PORT --releases DIRECTORY --fault-file FILE [--dashboard-fault-file FILE] [--scan DIRECTORY]
 *   [--bytes-per-second N]
 */
const { values } = parseArgs({
  options: {
    listen: { type: "string" },
    releases: { type: "string" },
    scan: { type: "string" },
    "fault-file": { type: "string" },
    "dashboard-fault-file": { type: "string" },
    "bytes-per-second": { type: "string" },
  },
});
const { listen, releases, scan, "fault-file": faultFile, "bytes-per-second": bytesPerSecond } = values;
if (!listen || !releases || !faultFile) throw new Error("--listen, --releases and --fault-file are required");
const [address, port] = listen.split(":");
const server = releaseServer({
  releases,
  scan,
  faultFile,
  dashboardFaultFile: values["dashboard-fault-file"],
  bytesPerSecond: bytesPerSecond ? Number(bytesPerSecond) : undefined,
  log: console.log,
});
server.listen(Number(port), address, () =>
  console.log(`stand-in for get.rke2.io and the releases: http://${listen}`),
);
