import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { utils } from "ssh2";
import { decideAnew } from "../../../components/recovery/decision";
import { parseSettings } from "../../../config";
import { lab, labNodes } from "../../config/lab";
import { FROM, TO } from "../../observe/facts";

const sshPrivateKey = utils.generateKeyPairSync("ecdsa", { bits: 256 }).private;
// Nobody is there.
const nodes = labNodes.map((node, i) => ({ ...node, address: `127.0.2.${i + 1}`, port: 1 }));
const raw = (changes: Record<string, unknown> = {}) =>
  lab({ rke2Version: TO, acceptedVersion: FROM, nodes, limits: { sshSeconds: 1 }, ...changes });
const settings = parseSettings(raw());
const DECISION =
  /Procedure §4\.3's criteria for going back: none is known to be met, 4 could not be judged\n.*No node can be looked at from here.*no way back is proposed.*proj-k8sm01: .*ECONNREFUSED.*next: mend the way from this machine/s;

describe("components/recovery/decision: after a failure", () => {
  const decided = async (...[changed, ...more]: Parameters<typeof decideAnew>) =>
    (await decideAnew(changed, ...more)).join("\n");

  it("looks anew, says what it cannot know, and proposes nothing where nobody is reached", async () => {
    const said = await decided(settings, async () => sshPrivateKey);
    assert.match(said, DECISION);
    assert.doesNotMatch(said, /pulumi config set/);
  });

  it("ends in time, and without the key, with a word", async () => {
    const never = () => new Promise<string>(() => {});
    assert.match(await decided(settings, never, 20), /not judged: .* within 0\.02 s\. next: pulumi preview/);
    const none = () => Promise.reject(new Error("no key"));
    assert.match(await decided(settings, none), /not judged: no key\. next: /);
  });

  it("has nothing to decide where no change goes forward", async () => {
    const asked = () => assert.fail("nobody is to be asked");
    assert.equal(await decided({ ...settings, goBack: { strategy: "rollback" } }, asked), "");
    assert.equal(await decided(parseSettings(raw({ rke2Version: FROM })), asked), "");
  });
});
