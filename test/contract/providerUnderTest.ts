import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import * as readline from "node:readline";
import * as grpc from "@grpc/grpc-js";
import * as engineRpc from "@pulumi/pulumi/proto/engine_grpc_pb";
import { LogSeverity } from "@pulumi/pulumi/proto/engine_pb";
import { ResourceProviderClient } from "@pulumi/pulumi/proto/provider_grpc_pb";
import * as messages from "@pulumi/pulumi/proto/provider_pb";
import { specialSecretSig, specialSigKey, unknownValue } from "@pulumi/pulumi/runtime/rpc";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { Struct } from "google-protobuf/google/protobuf/struct_pb";

export type Properties = Record<string, unknown>;

/** A property whose value is not known in a preview. */
export const unknown = unknownValue;

/** A property as it travels when it is secret. */
export function secret(value: unknown): Properties {
  return { [specialSigKey]: specialSecretSig, value };
}

/** A message that the plugin sent to the engine; a status is shown in the progress display alone. */
export interface LogLine {
  severity: "debug" | "info" | "warning" | "error";
  message: string;
  status: boolean;
}

/** A provider plugin in a process of its own, asked as the engine asks it, and its log. */
export class ProviderUnderTest {
  private constructor(
    /** What the plugin has logged, oldest first; tests may empty it. */
    readonly log: LogLine[],
    private readonly process: ChildProcess,
    private readonly client: ResourceProviderClient,
    private readonly engine: grpc.Server,
  ) {}

  /**
   * Starts the plugin with an engine to log to.
   * @param binary path of the plugin
   * @param environment variables beside the ones of this process
   */
  static async start(binary: string, environment: NodeJS.ProcessEnv = {}): Promise<ProviderUnderTest> {
    const log: LogLine[] = [];
    const engine = new grpc.Server();
    engine.addService(engineRpc.EngineService as unknown as grpc.ServiceDefinition, logTo(log));
    const port = await new Promise<number>((resolve, reject) =>
      engine.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, bound) =>
        error ? reject(error) : resolve(bound),
      ),
    );
    const child = spawn(binary, [`127.0.0.1:${port}`], {
      stdio: ["ignore", "pipe", "inherit"],
      env: { ...process.env, ...environment },
    });
    const [address] = (await once(readline.createInterface({ input: child.stdout }), "line")) as [string];
    const client = new ResourceProviderClient(`127.0.0.1:${address}`, grpc.credentials.createInsecure());
    return new ProviderUnderTest(log, child, client, engine);
  }

  /** Ends the plugin as the engine ends it, and waits for that. */
  async stop(): Promise<void> {
    this.client.close();
    this.engine.forceShutdown();
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    const ended = once(this.process, "exit");
    this.process.kill("SIGKILL");
    await ended;
  }

  /** Configures the provider, as an explicit provider resource with these inputs would. */
  async configure(inputs: Properties): Promise<void> {
    const request = new messages.ConfigureRequest();
    request.setArgs(Struct.fromJavaScript(inputs as never));
    request.setAcceptsecrets(true);
    await this.call(this.client.configure, request);
  }

  /** Check: the inputs as completed, and what is wrong with them. */
  async check(type: string, news: Properties, olds: Properties = {}) {
    const request = new messages.CheckRequest();
    request.setUrn(urn(type));
    request.setType(type);
    request.setOlds(struct(olds));
    request.setNews(struct(news));
    const response = await this.call<messages.CheckResponse>(this.client.check, request);
    return {
      inputs: plain(response.getInputs()),
      failures: response.getFailuresList().map((failure) => failure.getReason()),
    };
  }

  /** Diff: whether anything changes, and which properties ask for a replacement. */
  async diff(type: string, oldInputs: Properties, news: Properties) {
    const request = new messages.DiffRequest();
    request.setId("id");
    request.setUrn(urn(type));
    request.setType(type);
    request.setOlds(struct(oldInputs));
    request.setOldInputs(struct(oldInputs));
    request.setNews(struct(news));
    const response = await this.call<messages.DiffResponse>(this.client.diff, request);
    return {
      changes: response.getChanges() === messages.DiffResponse.DiffChanges.DIFF_SOME,
      replaces: response.getReplacesList(),
      deleteBeforeReplace: response.getDeletebeforereplace(),
    };
  }

  /** Create: the ID and the state. */
  async create(type: string, inputs: Properties, preview = false, timeoutSeconds = 0) {
    const request = new messages.CreateRequest();
    request.setUrn(urn(type));
    request.setType(type);
    request.setProperties(struct(inputs));
    request.setPreview(preview);
    request.setTimeout(timeoutSeconds);
    const response = await this.call<messages.CreateResponse>(this.client.create, request);
    return { id: response.getId(), state: plain(response.getProperties()) };
  }

  /** Update: the state. */
  async update(type: string, state: Properties, inputs: Properties, preview = false): Promise<Properties> {
    const request = new messages.UpdateRequest();
    request.setId("id");
    request.setUrn(urn(type));
    request.setType(type);
    request.setOlds(struct(state));
    request.setNews(struct(inputs));
    request.setPreview(preview);
    const response = await this.call<messages.UpdateResponse>(this.client.update, request);
    return plain(response.getProperties());
  }

  /** Read: ID, state and inputs as they are now; the ID is empty when the resource is gone. */
  async read(type: string, id: string, state: Properties, inputs: Properties) {
    const request = new messages.ReadRequest();
    request.setId(id);
    request.setUrn(urn(type));
    request.setType(type);
    request.setProperties(struct(state));
    request.setInputs(struct(inputs));
    const response = await this.call<messages.ReadResponse>(this.client.read, request);
    return {
      id: response.getId(),
      state: plain(response.getProperties()),
      inputs: plain(response.getInputs()),
    };
  }

  /** Delete, from the state alone. */
  async delete(type: string, id: string, state: Properties): Promise<void> {
    const request = new messages.DeleteRequest();
    request.setId(id);
    request.setUrn(urn(type));
    request.setType(type);
    request.setProperties(struct(state));
    await this.call(this.client.delete, request);
  }

  /** Cancel, which the engine sends at Ctrl-C. */
  async cancel(): Promise<void> {
    await this.call(this.client.cancel, new Empty());
  }

  private call<Response>(method: unknown, request: unknown): Promise<Response> {
    type Unary = (
      request: unknown,
      done: (error: grpc.ServiceError | null, response: Response) => void,
    ) => void;
    return new Promise((resolve, reject) =>
      (method as Unary).call(this.client, request, (error, response) =>
        error ? reject(new Error(error.details)) : resolve(response),
      ),
    );
  }
}

/** The engine as the plugin sees it: it keeps what is logged. */
function logTo(log: LogLine[]): grpc.UntypedServiceImplementation {
  const severities = {
    [LogSeverity.DEBUG]: "debug",
    [LogSeverity.INFO]: "info",
    [LogSeverity.WARNING]: "warning",
    [LogSeverity.ERROR]: "error",
  } as const;
  const refuse: grpc.handleUnaryCall<unknown, unknown> = (_, done) =>
    done({ code: grpc.status.UNIMPLEMENTED });
  return {
    log: ((call, done) => {
      const severity = severities[call.request.getSeverity() as keyof typeof severities];
      log.push({ severity, message: call.request.getMessage(), status: call.request.getEphemeral() });
      done(null, new Empty());
    }) as grpc.handleUnaryCall<import("@pulumi/pulumi/proto/engine_pb").LogRequest, Empty>,
    getRootResource: refuse,
    setRootResource: refuse,
    startDebugging: refuse,
    requirePulumiVersion: refuse,
  };
}

function urn(type: string): string {
  return `urn:pulumi:test::contract::${type}::step`;
}

function struct(properties: Properties): Struct {
  return Struct.fromJavaScript(properties as never);
}

function plain(properties: Struct | undefined): Properties {
  return (properties?.toJavaScript() ?? {}) as Properties;
}
