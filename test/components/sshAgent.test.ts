import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { refuseSshAgent } from "../../components/sshAgent";
import { engineEnvironment } from "../../report/pulumi";

describe("components/sshAgent", () => {
  const socket = { SSH_AUTH_SOCK: "/tmp/ssh-1/agent.2" };
  const mocks = { newResource: () => ({ id: "", state: {} }), call: () => ({}) };
  const inRun = (kind: "preview" | "up") =>
    pulumi.runtime.setMocks(mocks, "rke2-upgrade", "test", kind === "preview");

  it("is refused in an up, with what to do, and none is borne by the engines that are started here", async () => {
    await inRun("up");
    assert.throws(
      () => refuseSshAgent(socket),
      /SSH_AUTH_SOCK is set \(\/tmp\/ssh-1\/agent\.2\).*Nothing was touched\.\n {2}next: unset SSH_AUTH_SOCK/s,
    );
    refuseSshAgent({});
    assert.equal(engineEnvironment().SSH_AUTH_SOCK, undefined);
  });

  it("is told in a preview, which goes on", async () => {
    await inRun("preview");
    refuseSshAgent(socket);
  });
});
