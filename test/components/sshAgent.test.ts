import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { refuseSshAgent } from "../../components/sshAgent";
import { engineEnvironment } from "../../report/pulumi";

describe("components/sshAgent", () => {
  const socket = { SSH_AUTH_SOCK: "/tmp/ssh-1/agent.2" };
  const mocks = { newResource: () => ({ id: "", state: {} }), call: () => ({}) };
  const inRun = (kind: "preview" | "up") =>
    pulumi.runtime.setMocks(mocks, "rke2-upgrade", "test", kind === "preview");

  it("is refused in an up, with what to do", async () => {
    await inRun("up");
    assert.throws(
      () => refuseSshAgent(socket),
      /SSH_AUTH_SOCK is set \(\/tmp\/ssh-1\/agent\.2\).*Nothing was touched\.\n {2}next: unset SSH_AUTH_SOCK/s,
    );
    refuseSshAgent({});
  });

  it("is told in a preview, which goes on", async () => {
    await inRun("preview");
    const told: string[] = [];
    const { warn } = pulumi.log;
    Object.assign(pulumi.log, { warn: async (said: string) => void told.push(said) });
    try {
      refuseSshAgent(socket);
      refuseSshAgent({});
    } finally {
      Object.assign(pulumi.log, { warn });
    }
    assert.equal(told.length, 1);
    assert.match(told[0] ?? "", /SSH_AUTH_SOCK is set.*next: unset SSH_AUTH_SOCK/s);
  });

  it("is borne by no engine that is started here", () => {
    const had = process.env.SSH_AUTH_SOCK;
    process.env.SSH_AUTH_SOCK = socket.SSH_AUTH_SOCK;
    try {
      assert.equal(engineEnvironment().SSH_AUTH_SOCK, undefined);
    } finally {
      if (had === undefined) delete process.env.SSH_AUTH_SOCK;
      else process.env.SSH_AUTH_SOCK = had;
    }
  });
});
