// Socket.IO. SOCKET_PATH: its `path`, of which the server looks at the beginning only.
import { Server } from "socket.io";
import { listen, makeServer, name } from "./serving.mjs";

const server = makeServer();
const io = new Server(server, { path: process.env.SOCKET_PATH ?? "/socket.io", pingInterval: 1000, pingTimeout: 2000, cors: { origin: ["https://game.example", /^http:\/\/127\.0\.0\.1:/] } });

io.on("connection", (socket) => {
  const { room } = socket.handshake.query;
  socket.join(room);
  socket.on("say", (text, done) => {
    io.to(room).emit("said", text);
    done(name);
  });
  socket.on("double", (data, done) => done({ twice: Buffer.concat([data, data]), as: [data.length, { data }] }));
  socket.on("ask me", (data) => socket.timeout(5000).emit("question", { data }, (error, answer) => socket.emit("answered", error ? null : answer)));
  socket.on("who am I", (done) => done({ subject: socket.request.headers["x-terrane-subject"], token: socket.handshake.query.token ?? null }));
  socket.on("disconnect", (reason) => io.to(room).emit("left", { id: socket.id, reason }));
});

listen(server);
