import { dirname } from "node:path";
import { rehearsalStack } from "./info";
import { operator } from "./operator";
import { readState } from "./state";

/**
 * The environment of the lab's operator, over this process's own.
 * @throws Error when no rehearsal is up.
 */
export async function operatorEnvironment(): Promise<NodeJS.ProcessEnv> {
  const { builds } = await readState();
  return {
    ...process.env,
    // As the README has it.
    SSH_AUTH_SOCK: undefined,
    PATH: [builds.toolchain, dirname(process.execPath), builds.kubernetes, process.env.PATH].join(":"),
    KUBECONFIG: operator.kubeconfig,
    PULUMI_HOME: operator.pulumiHome,
    PULUMI_BACKEND_URL: `file://${operator.pulumiBackend}`,
    PULUMI_CONFIG_PASSPHRASE_FILE: operator.passphrase,
    PULUMI_STACK: rehearsalStack,
    PULUMI_SKIP_UPDATE_CHECK: "true",
    // Only the plugins of the toolchain, and no type check of the program at each run: tsc is a linter's part.
    PULUMI_IGNORE_AMBIENT_PLUGINS: "true",
    PULUMI_NODEJS_TRANSPILE_ONLY: "true",
    PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
  };
}
