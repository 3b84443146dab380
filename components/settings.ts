import * as pulumi from "@pulumi/pulumi";
import { ConfigError, loadSettings } from "../config";

/** The stack's config; its mistakes, all at once, as a message of the run and not as a stack trace. */
export function settingsOrExplain(): ReturnType<typeof loadSettings> {
  try {
    return loadSettings();
  } catch (error) {
    throw error instanceof ConfigError ? new pulumi.RunError(error.message) : error;
  }
}
