/** The program under Pulumi's mocks: every resource it registers, with what it depends on and when it was done. */
import * as pulumi from "@pulumi/pulumi";
import { utils } from "ssh2";
import { NAMESPACE } from "../../config";
import { lab, labNodes } from "../config/lab";

/** One registered resource. */
export interface Registered {
  readonly type: string;
  readonly name: string;
  readonly inputs: Record<string, unknown>;
  /** Names of the resources it depends on, and its parent's. */
  dependsOn: string[];
  parent: string;
  retainOnDelete: boolean;
  /** Names of the hooks that are asked where it fails. */
  onError: string[];
  started: number;
  done: number;
}

/** What mocks are not told of. */
type Edges = Pick<Registered, "dependsOn" | "parent" | "retainOnDelete" | "onError">;

/** When each gate was asked. */
export const ASKED_AT = "2026-11-24T07:27:09.000Z";

/** How long a mocked resource takes: enough for two at once to overlap measurably. */
const TAKES_MS = 2;

/**
 * Runs index.ts with these changes to the lab's config.
 * @returns what was registered, in the order in which it began
 */
export async function runProgram(changes: Record<string, unknown>): Promise<Registered[]> {
  const registered: Registered[] = [];
  const edges = new Map<string, Edges>();
  let clock = 0;
  await pulumi.runtime.setMocks(
    {
      newResource: async ({ type, name, inputs }) => {
        const entry: Registered = {
          type,
          name,
          inputs,
          dependsOn: [],
          parent: "",
          retainOnDelete: false,
          onError: [],
          started: clock++,
          done: -1,
        };
        registered.push(entry);
        await new Promise((resolve) => setTimeout(resolve, TAKES_MS));
        entry.done = clock++;
        const state = {
          ...inputs,
          stdout: '{"version":"v0","startedAt":"now"}',
          owner: "owner",
          attempt: 1,
          from: "v0",
          mode: "forward",
          movedUnder: "CR-MOVED",
          askedAt: ASKED_AT,
        };
        return { id: `${name}-id`, state };
      },
      call: ({ token }) => {
        throw new Error(`unexpected call ${token}`);
      },
    },
    NAMESPACE,
    "test",
    false,
  );
  recordEdges(edges);
  const raw = lab({ ...NOWHERE, ...changes });
  const secrets = {
    sshPrivateKey: utils.generateKeyPairSync("ecdsa", { bits: 256 }).private,
    proxmoxTokenSecret: "00000000-0000-0000-0000-000000000000",
    kubeconfig: KUBECONFIG,
  };
  const all = Object.entries({ ...raw, ...secrets }).map(([key, value]) => [`${NAMESPACE}:${key}`, value]);
  pulumi.runtime.setAllConfig(
    Object.fromEntries(all),
    Object.keys(secrets).map((key) => `${NAMESPACE}:${key}`),
  );

  const index = require.resolve("../../index");
  delete require.cache[index];
  require(index);
  await pulumi.runtime.disconnect();
  for (const entry of registered) Object.assign(entry, edges.get(entry.name));
  return registered;
}

/** Given, so that the program does not read one from a server. */
const KUBECONFIG = `apiVersion: v1
kind: Config
clusters:
  - name: lab
    cluster:
      server: https://10.25.20.10:6443
`;

/** Nothing answers there, at once: the program's live looks must not leave the machine that runs the tests. */
const NOWHERE = {
  nodes: labNodes.map((node, i) => ({ ...node, address: `127.0.0.${i + 2}`, port: 1 })),
  proxmox: { endpoint: "https://127.0.0.1:1", tokenId: "rke2-upgrade@pve!operator" },
};

/**
 * Mocks are not told of dependencies: the one place that touches the SDK's internals wraps the mocked monitor.
 */
function recordEdges(edges: Map<string, Edges>): void {
  const name = (urn: string) => urn.split("::").at(-1) ?? "";
  // biome-ignore lint/suspicious/noExplicitAny: internal API, see above
  const monitor = (require("@pulumi/pulumi/runtime/settings") as any).getMonitor();
  const original = monitor.registerResource.bind(monitor);
  monitor.registerErrorHook = (_: unknown, callback: (error: null, response: object) => void) =>
    callback(null, {});
  // biome-ignore lint/suspicious/noExplicitAny: a gRPC message of the SDK
  monitor.registerResource = (request: any, callback: unknown) => {
    edges.set(request.getName(), {
      dependsOn: request.getDependenciesList().map(name),
      parent: name(request.getParent()),
      retainOnDelete: request.getRetainondelete(),
      onError: request.getHooks()?.getOnErrorList() ?? [],
    });
    return original(request, callback);
  };
}
