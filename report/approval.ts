/** Whether a change request was approved, and how that is proven. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { NAMESPACE, type Settings } from "../config";
import { planNames } from "./directory";
import type { PlanRecord } from "./planSchema";

/** Signatures for other purposes are none for this one (ssh-keygen -n). */
const PURPOSE = "rke2-upgrade";

/** What an approver signs. It follows from the change request, so a signature is verified without the file. */
export const approvalText = ({
  changeId,
  stack,
  summary,
  digest,
}: Pick<PlanRecord, "changeId" | "stack" | "summary" | "digest">): string =>
  `I approve ${changeId} on ${stack}: ${summary}\nsha256 ${digest.value}\n`;

/** How to sign it, for the one who does. */
export const signCommand = (directory: string, { direction }: Pick<PlanRecord, "direction">): string =>
  `ssh-keygen -Y sign -f YOUR-KEY -n ${PURPOSE} ${join(directory, planNames(direction).approval)}`;

/** The approval, or why there is none. */
export type Approval =
  | { readonly by: string; readonly how: string }
  | { readonly missing: string; readonly next: string };

const set = (key: string, value: string) =>
  `pulumi config set --path '${NAMESPACE}:approval.${key}' ${value}`;

/** Judges the approval in the config and, where signers are named, the signature beside the change request. */
export function judgeApproval(
  { approval }: Pick<Settings, "approval">,
  plan: PlanRecord,
  directory: string,
): Approval {
  const { changeId, approver, digest, allowedSigners } = approval;
  if (changeId !== plan.changeId) {
    const found = changeId
      ? `approval.changeId is ${changeId}, the plan is ${plan.changeId}`
      : "approval.changeId is not set";
    return { missing: found, next: set("changeId", plan.changeId) };
  }
  if (!approver)
    return { missing: "approval.approver is not set: who approved it?", next: set("approver", "NAME") };
  if (digest && !plan.digest.value.startsWith(digest)) {
    return {
      missing: `approval.digest is ${digest}, the plan's is ${plan.digest.value}: another plan was approved`,
      next: "have this one approved, or bring back the one that was",
    };
  }
  if (allowedSigners.length === 0) {
    const of = digest ? "of this digest" : "of the change ID, not of this digest";
    return { by: approver, how: `by the stack's config, unsigned, ${of}` };
  }
  const fault = signatureFault(approver, allowedSigners, plan, directory);
  if (fault) return { missing: fault, next: `${approver} signs it: ${signCommand(directory, plan)}` };
  return { by: approver, how: "signed with an SSH key that approval.allowedSigners names, of this digest" };
}

/** What is wrong with the signature; undefined where it holds. */
function signatureFault(
  approver: string,
  signers: readonly string[],
  plan: PlanRecord,
  directory: string,
): string | undefined {
  const signature = join(directory, `${planNames(plan.direction).approval}.sig`);
  if (!existsSync(signature)) return `there is no ${signature}`;
  const folder = mkdtempSync(join(tmpdir(), "rke2-approval-"));
  try {
    const allowed = join(folder, "allowed");
    writeFileSync(allowed, `${signers.join("\n")}\n`);
    const args = ["-Y", "verify", "-f", allowed, "-I", approver, "-n", PURPOSE, "-s", signature];
    execFileSync("ssh-keygen", args, { input: approvalText(plan), stdio: ["pipe", "ignore", "pipe"] });
    return undefined;
  } catch (error) {
    const said = String((error as { stderr?: Buffer }).stderr ?? error).trim();
    return `${signature} is no signature of this plan by ${approver}: ${said || "ssh-keygen refused it"}`;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
