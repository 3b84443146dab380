import { execFileSync } from "node:child_process";
import * as path from "node:path";

/** The project's root. */
export const root = path.resolve(__dirname, "../..");

let built: string | undefined;

/**
 * Builds what is missing of the toolchain and returns the folder that holds it. The build says what it does on
 * standard error, since a cold one takes minutes.
 */
export function toolchain(): string {
  built ??= execFileSync(path.join(root, "rehearsal/toolchain/build.sh"), {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  })
    .trimEnd()
    .split("\n")
    .at(-1);
  return built ?? "";
}

/**
 * The binary under test: the one that an environment variable names, so that an official one can be held against
 * the suite, or else the toolchain's own.
 */
export function binary(variable: string, name: string): string {
  return process.env[variable] ?? path.join(toolchain(), name);
}
