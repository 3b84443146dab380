/**
 * Listens to the engine: `pulumi up --event-log tcp://…` sends its events over gRPC, as Pulumi's own Automation API has
 * it do. The events hold every script and every output, and the debug messages among them secrets in clear (seen with
 * 3.259: test/contract/eventLog.test.ts). So there is no file, and nothing is kept: they are handed on, and that is all.
 */
import { existsSync, readFileSync } from "node:fs";
import {
  Server,
  ServerCredentials,
  type ServerReadableStream,
  type sendUnaryData,
  status,
} from "@grpc/grpc-js";
import { EventsService } from "@pulumi/pulumi/proto/events_grpc_pb";
import type { EventRequest } from "@pulumi/pulumi/proto/events_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";

/** An engine that can be listened to. */
export interface EngineServer {
  /** What `pulumi up` is given beside its other arguments and variables. */
  readonly args: readonly string[];
  readonly variables: NodeJS.ProcessEnv;
  close(): void;
}

/** An event holds a resource before and after, a script in each: hundreds of KB. What is longer is none, bytes. */
const LONGEST = 64 * 1024 * 1024;

/**
 * Listens on this machine alone, to one stream, which is what an engine opens, and on Linux to one of this user's own: the
 * port stands in the engine's command line, where anybody may read it. @param heard is given every event; what it throws is
 * not the engine's concern
 */
export async function listenToEngine(heard: (event: unknown) => void): Promise<EngineServer> {
  const server = new Server({ "grpc.max_receive_message_length": LONGEST });
  let [port, begun] = [0, false];
  server.addService(EventsService, {
    streamEvents(call: ServerReadableStream<EventRequest, Empty>, answer: sendUnaryData<Empty>) {
      const refused = begun
        ? "it listens to another stream already"
        : isAnothers(call.getPeer(), port)
          ? "it listens to its own user alone"
          : undefined;
      if (refused) {
        console.error(`somebody else than the engine spoke to the event log, and was not heard: ${refused}`);
        answer({ code: status.PERMISSION_DENIED, details: refused });
        return;
      }
      begun = true;
      call.on("data", (request: EventRequest) => {
        try {
          heard(JSON.parse(request.getEvent()));
        } catch (error) {
          console.error(`an event of the engine was not understood: ${(error as Error).message}`);
        }
      });
      call.on("end", () => answer(null, new Empty()));
      // An engine that was killed says nothing more; how the run ended is told by its exit code.
      call.on("error", () => {});
    },
  });
  port = await new Promise<number>((resolve, reject) =>
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    ),
  );
  return {
    args: ["--event-log", `tcp://127.0.0.1:${port}`],
    // The option is hidden without it (pkg/cmd/pulumi/operations/up.go); the Automation API sets it as well.
    variables: { PULUMI_DEBUG_COMMANDS: "true" },
    close: () => server.forceShutdown(),
  };
}

/** Whether a peer's socket is another user's. Where there is no such table (no Linux) nobody can tell, and it is not. */
function isAnothers(peer: string, port: number): boolean {
  try {
    // A socket of version 6 reaches 127.0.0.1 as ::ffff:127.0.0.1, and stands in its own table.
    const tables = ["/proc/net/tcp", "/proc/net/tcp6"].filter((path) => existsSync(path));
    const table = tables.map((path) => readFileSync(path, "utf8")).join("\n");
    const uid = uidOf(table, Number(peer.split(":").at(-1)), port);
    return uid !== undefined && uid !== process.getuid?.();
  } catch {
    return false;
  }
}

/** The user of a TCP socket, by its own port and the one that it is connected to (proc_pid_net(5)). @param table rows of either version */
export function uidOf(table: string, own: number, remote: number): number | undefined {
  const ends = (address: string | undefined, port: number) =>
    address?.endsWith(`:${port.toString(16).toUpperCase().padStart(4, "0")}`);
  const rows = table.split("\n").map((line) => line.trim().split(/\s+/));
  const uid = rows.find(([, local, other]) => ends(local, own) && ends(other, remote))?.[7];
  return uid === undefined ? undefined : Number(uid);
}
