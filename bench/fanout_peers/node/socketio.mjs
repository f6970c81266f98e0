// A broadcast to everybody in socket.io, over WebSocket alone; pings are so rare that none falls into the measurement.
import { createServer } from "node:http";
import { Server } from "socket.io";
import { take } from "./events.mjs";

const http = createServer();
const server = new Server(http, {
  transports: ["websocket"],
  perMessageDeflate: false,
  serveClient: false,
  pingInterval: 3_600_000,
});
http.listen({ host: "127.0.0.1", port: 0, backlog: 4096 }, () =>
  take(http.address().port, (text) => server.emit("event", JSON.parse(text))),
);
