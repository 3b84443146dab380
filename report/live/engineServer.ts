/**
 * Listens to the engine: `pulumi up --event-log tcp://…` sends its events over gRPC, as Pulumi's own Automation API has
 * it do. The events hold every script and every output, and the debug messages among them secrets in clear (seen with
 * 3.259: test/contract/eventLog.test.ts). So there is no file, and nothing is kept: they are handed on, and that is all.
 */
import { Server, ServerCredentials, type ServerReadableStream, type sendUnaryData } from "@grpc/grpc-js";
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

/** Listens on this machine alone. @param heard is given every event; what it throws is not the engine's concern */
export async function listenToEngine(heard: (event: unknown) => void): Promise<EngineServer> {
  // An event holds a resource before and after, a script in each.
  const server = new Server({ "grpc.max_receive_message_length": -1 });
  server.addService(EventsService, {
    streamEvents(call: ServerReadableStream<EventRequest, Empty>, answer: sendUnaryData<Empty>) {
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
  const port = await new Promise<number>((resolve, reject) =>
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
