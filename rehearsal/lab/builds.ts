import { spawn } from "node:child_process";
import { join } from "node:path";
import { cacheDirectory, projectDirectory } from "../machines/paths";

/** Where everything that is built before a rehearsal lies in the cache. */
export interface Builds {
  /** Base root of the machines. */
  readonly root: string;
  /** Images' binaries, as the container runtime stand-in looks them up. */
  readonly images: string;
  /** Folder with install.sh and the releases. */
  readonly releases: string;
  /** Folder with the stand-in for kube-bench's release archive. */
  readonly scan: string;
  /** Folder with pulumi, the language host and the plugins. */
  readonly toolchain: string;
  /** Folder with the operator's kubectl. */
  readonly kubernetes: string;
}

/** The versions of Kubernetes and etcd that the releases are made of. */
const kubernetesVersions = ["v1.35.4", "v1.36.3"] as const;
const etcdVersion = "v3.6.16";

/**
 * Runs a folder's build script, its progress passed on to standard error.
 * @returns the last line it printed: the path of what it built.
 */
function build(script: string, ...args: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn("bash", [join(projectDirectory, "rehearsal", script), ...args], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let last = "";
    let rest = "";
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        if (last) process.stderr.write(`         ${last}\n`);
        last = line;
      }
    });
    child.on("error", reject);
    child.on("close", (code) => {
      if (code === 0) resolve(rest || last);
      else reject(new Error(`rehearsal/${script} failed (exit ${code}): its messages stand above`));
    });
  });
}

/** Builds whatever is missing in the cache; a second or two when nothing is. */
export async function buildAll(): Promise<Builds> {
  // Packages are fetched and unpacked while the compiler works.
  const [root, toolchain] = await Promise.all([build("machines/build-root.sh"), build("toolchain/build.sh")]);
  await build("kubernetes/build.sh");
  const releases = await build("rke2/build.sh");
  const scan = await build("scan/build.sh");
  const kubernetes = kubernetesVersions.map((version) => join(cacheDirectory, "kubernetes", version));
  const images = await build(
    "machines/build-images.sh",
    join(cacheDirectory, "etcd", etcdVersion),
    ...kubernetes,
  );
  return { root, toolchain, images, releases, scan, kubernetes: join(kubernetes[0] ?? "", "bin") };
}
