// Events of the benchmark: one connection, each event four bytes of length and its bytes. Prints `PORT CONTROL`.
import { createServer } from "node:net";

export function take(port, broadcast) {
  const control = createServer((socket) => {
    let pending = Buffer.alloc(0);
    socket.setNoDelay(true);
    socket.on("data", (chunk) => {
      pending = pending.length ? Buffer.concat([pending, chunk]) : chunk;
      while (pending.length >= 4) {
        const size = pending.readUInt32BE(0);
        if (pending.length < 4 + size) break;
        broadcast(pending.subarray(4, 4 + size).toString());
        pending = pending.subarray(4 + size);
      }
    });
    socket.on("error", () => {});
  });
  control.listen(0, "127.0.0.1", () => console.log(`${port} ${control.address().port}`));
}
