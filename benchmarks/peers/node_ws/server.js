// A bare `ws` server: one subscription to Redis, a channel per person, each message passed on to
// that person's sockets as it came. No deflate (the default), no history, no reads.
"use strict";

const http = require("node:http");
const { createClient } = require("redis");
const { WebSocketServer } = require("ws");

const people = new Map(); // channel to the set of its sockets

async function main() {
  const subscriber = createClient({ socket: { path: process.env.BENCH_REDIS_SOCKET } });
  await subscriber.connect();
  const sockets = new WebSocketServer({ noServer: true, clientTracking: false });

  async function joined(channel) {
    let person = people.get(channel);
    if (person === undefined) {
      const members = new Set();
      person = { members, subscribed: subscriber.subscribe(channel, (text) => {
        for (const member of members) member.send(text);
      }) };
      people.set(channel, person);
    }
    await person.subscribed;
    return person.members;
  }

  const server = http.createServer((_request, response) => response.end("ok"));
  server.on("upgrade", async (request, line, head) => {
    const query = new URL(request.url, "http://bench").searchParams;
    const members = await joined(`user:${query.get("user_id")}`);
    sockets.handleUpgrade(request, line, head, (member) => {
      members.add(member);
      member.on("close", () => members.delete(member));
      member.on("error", () => member.terminate());
    });
  });
  server.listen({ port: Number(process.env.BENCH_PORT), host: "127.0.0.1", backlog: 2048 });
}

main();
