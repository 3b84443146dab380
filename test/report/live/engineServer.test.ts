import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { type AddressInfo, connect, createServer } from "node:net";
import { credentials } from "@grpc/grpc-js";
import { EventsClient } from "@pulumi/pulumi/proto/events_grpc_pb";
import { EventRequest } from "@pulumi/pulumi/proto/events_pb";
import { listenToEngine, uidOf } from "../../../report/live/engineServer";

describe("report/live/engineServer", () => {
  it("hears one stream to its end, and nobody who comes beside it", async () => {
    const heard: unknown[] = [];
    const server = await listenToEngine((event) => heard.push(event));
    const address = server.args.at(-1)?.replace("tcp://", "") ?? "";
    const clients: EventsClient[] = [];
    const speak = (sequence: number) => {
      const client = new EventsClient(address, credentials.createInsecure());
      clients.push(client);
      let stream: ReturnType<EventsClient["streamEvents"]> | undefined;
      const ended = new Promise<string>((resolve) => {
        stream = client.streamEvents((error) => resolve(error?.details ?? "heard"));
        const request = new EventRequest();
        request.setEvent(JSON.stringify({ sequence }));
        stream.write(request);
      });
      return { ended, end: () => stream?.end() };
    };
    const { error } = console;
    console.error = () => {};
    try {
      const engine = speak(1);
      while (heard.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
      assert.match(await speak(2).ended, /another stream already/);
      engine.end();
      assert.equal(await engine.ended, "heard");
      assert.deepEqual(heard, [{ sequence: 1 }]);
    } finally {
      console.error = error;
      for (const client of clients) client.close();
      server.close();
    }
  });

  it("knows whose a socket is by both of its ports", async () => {
    const table = [
      "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode",
      "   0: 0100007F:C350 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0 100 0",
      "   1: 0100007F:C350 0100007F:1F90 01 00000000:00000000 00:00000000 00000000  1001        0 2 1 0 20 4",
      "   2: 0100007F:1F90 0100007F:C350 01 00000000:00000000 00:00000000 00000000  1000        0 3 1 0 20 4",
    ].join("\n");
    assert.equal(uidOf(table, 50000, 8080), 1001);
    assert.equal(uidOf(table, 8080, 50000), 1000);
    assert.equal(uidOf(table, 50001, 8080), undefined);
    const version6 =
      "   0: 0000000000000000FFFF00000100007F:C351 0000000000000000FFFF00000100007F:1F90 01 00000000:00000000 00:00000000 00000000  1002        0 4 1 0 20 4";
    assert.equal(uidOf(`${table}\n${version6}`, 50001, 8080), 1002);
    if (process.platform !== "linux") return;
    const server = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    const { port } = server.address() as AddressInfo;
    const socket = connect(port, "127.0.0.1");
    await new Promise((resolve) => socket.once("connect", resolve));
    const own = readFileSync("/proc/net/tcp", "utf8");
    assert.equal(uidOf(own, socket.localPort ?? 0, port), process.getuid?.());
    socket.destroy();
    server.close();
  });
});
