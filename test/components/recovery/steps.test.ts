import assert from "node:assert/strict";
import { start } from "../../../components/recovery/steps";
import { parseSettings } from "../../../config";
import { lab } from "../../config/lab";

describe("components/recovery/steps", () => {
  it("gives a server that joins the time to stop once more and have its data moved aside", () => {
    const settings = parseSettings(
      lab({ rke2Version: "v1.36.3+rke2r1", acceptedVersion: "v1.36.3+rke2r1", ingressController: "none" }),
    );
    const [server] = settings.servers as [(typeof settings.servers)[number]];
    const limit = (join?: string) => start(settings, server, "v1.36.3+rke2r1", join).limitSeconds;
    assert.deepEqual([limit("none"), limit("10.0.0.1")], [limit(), limit() + 300]);
  });
});
