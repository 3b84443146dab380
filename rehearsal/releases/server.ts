import { createReadStream, existsSync, statSync } from "node:fs";
import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
  STATUS_CODES,
} from "node:http";
import { join } from "node:path";
import { Throttle } from "./throttle";

/** What the release server serves, and how badly. */
export interface ReleaseServerOptions {
  /** Folder with install.sh and a folder a version. */
  readonly releases: string;
  /** Folder with the archive of the scanner; served below /kube-bench/. */
  readonly scan?: string;
  /** While this file exists every answer is 500. */
  readonly faultFile: string;
  /** While this file exists the dashboard answers 503. */
  readonly dashboardFaultFile?: string;
  /** Limit for each download. */
  readonly bytesPerSecond?: number;
  /** Told of each request and its status. */
  readonly log?: (line: string) => void;
}

/** A dashboard beside the cluster, for what asks whether there is one: it says that it is there. */
export const dashboardPath = "/monitoring/login";

/** Path prefix of the artifacts, as on the host that RKE2's releases come from. */
const prefix = "/rke2/releases/download/";

/** Path prefix of the scanner's archive. */
const scanPrefix = "/kube-bench/";

/**
 * Finds the file that a path names: `/` is the install script, `/kube-bench/<file>` the scanner's, the rest is
 * `/rke2/releases/download/<version>/<file>` with the version's + as %2B.
 */
function locate({ releases, scan }: ReleaseServerOptions, path: string): string | undefined {
  if (path === "/") return join(releases, "install.sh");
  const isName = (name: string) => /^[\w.+-]+$/.test(name) && !name.startsWith(".");
  const below = (start: string) => path.slice(start.length).split("/").map(decodeURIComponent);
  if (scan && path.startsWith(scanPrefix)) {
    const [name = "", ...rest] = below(scanPrefix);
    return isName(name) && rest.length === 0 ? join(scan, name) : undefined;
  }
  if (!path.startsWith(prefix)) return undefined;
  const [version = "", name = "", ...rest] = below(prefix);
  return isName(version) && isName(name) && rest.length === 0 ? join(releases, version, name) : undefined;
}

/** Status for a request that gets no file, or undefined when it gets one. */
function refusal(
  faultFile: string,
  method: string | undefined,
  file: string | undefined,
): number | undefined {
  if (existsSync(faultFile)) return 500;
  if (method !== "GET" && method !== "HEAD") return 405;
  return file && existsSync(file) ? undefined : 404;
}

function answer(options: ReleaseServerOptions, request: IncomingMessage, response: ServerResponse): void {
  const path = (request.url ?? "/").split("?")[0] ?? "/";
  const file = locate(options, path);
  response.on("close", () =>
    options.log?.(`${new Date().toISOString()} ${request.method} ${path} ${response.statusCode}`),
  );
  if (path === dashboardPath) {
    const down = options.dashboardFaultFile !== undefined && existsSync(options.dashboardFaultFile);
    response.writeHead(down ? 503 : 200, { "content-type": "text/plain" }).end(down ? "down\n" : "up\n");
    return;
  }
  const status = refusal(options.faultFile, request.method, file);
  if (status !== undefined || file === undefined) {
    response
      .writeHead(status ?? 404, { "content-type": "text/plain" })
      .end(`${STATUS_CODES[status ?? 404]}\n`);
    return;
  }
  response.writeHead(200, {
    "content-type": "application/octet-stream",
    "content-length": statSync(file).size,
  });
  if (request.method === "HEAD") {
    response.end();
    return;
  }
  const content = createReadStream(file);
  response.on("close", () => content.destroy());
  if (options.bytesPerSecond) content.pipe(new Throttle(options.bytesPerSecond)).pipe(response);
  else content.pipe(response);
}

/**
 * The stand-in for get.rke2.io and for the download site of RKE2's releases:
 * one server, the layout that RKE2's own install.sh asks for.
 */
export function releaseServer(options: ReleaseServerOptions): Server {
  return createServer((request, response) => answer(options, request, response));
}
