import http from "node:http";

/**
 * A proxy before a server, for browsers: every request takes `latencyMs` longer, and posts of events meet the fault of the
 * moment. `seen` counts how often each event came to the server, by its message id.
 *
 *     pass        the server answers
 *     503         nobody is there
 *     429         come back in five seconds
 *     lost        the server takes it, and the answer is lost
 */
export async function faults(target, latencyMs) {
  const { hostname, port } = new URL(target);
  const state = { fault: "pass", seen: new Map(), names: new Set(), early: 0, until: 0 };
  const server = http.createServer((request, response) => {
    const parts = [];
    request.on("data", (part) => parts.push(part));
    request.on("end", () => setTimeout(() => answer(request, response, Buffer.concat(parts)), latencyMs));
  });

  function answer(request, response, body) {
    const isEvents = request.method === "POST" && body.length > 0;
    const cors = { "access-control-allow-origin": request.headers.origin ?? "*", "access-control-expose-headers": "Retry-After" };
    if (isEvents && state.fault === "503") return void response.writeHead(503, cors).end("{}");
    if (isEvents && state.fault === "429") {
      if (Date.now() < state.until) state.early += 1;
      else state.until = Date.now() + 5_000;
      return void response.writeHead(429, { ...cors, "retry-after": "5" }).end("{}");
    }
    const onwards = http.request({ hostname, port, method: request.method, path: request.url, headers: request.headers }, (answer) => {
      if (isEvents) note(body);
      if (isEvents && state.fault === "lost") {
        answer.resume();
        return void answer.on("end", () => request.socket.destroy());
      }
      response.writeHead(answer.statusCode, answer.headers);
      answer.pipe(response);
    });
    onwards.on("error", () => request.socket.destroy());
    onwards.end(body);
  }

  function note(body) {
    const { batch, ...event } = JSON.parse(body.toString("utf8"));
    for (const { messageId, event: name } of batch ?? [event]) {
      state.seen.set(messageId, (state.seen.get(messageId) ?? 0) + 1);
      state.names.add(name);
    }
  }

  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    state,
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}
