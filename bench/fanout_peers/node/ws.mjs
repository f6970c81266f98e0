// A broadcast as the manual of `ws` shows it: every client gets a send() of its own.
import { WebSocket, WebSocketServer } from "ws";
import { take } from "./events.mjs";

const server = new WebSocketServer({ host: "127.0.0.1", port: 0, backlog: 4096, perMessageDeflate: false });
server.on("connection", (client) => client.on("error", () => {}));
server.on("listening", () =>
  take(server.address().port, (text) => {
    for (const client of server.clients) if (client.readyState === WebSocket.OPEN) client.send(text);
  }),
);
