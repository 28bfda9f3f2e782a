// Submits an order and follows it to its end in another engine's format: dialect d of docs/dialects.md.
//
//   npm install
//   node order.js [http://127.0.0.1:3000]
//
// If the daemon requires an API key, set ORDERCTL_API_KEY.
"use strict";

const { randomUUID } = require("node:crypto");
const WebSocket = require("ws");

const PAUSE_MS = 500;
const url = process.argv[2] ?? "http://127.0.0.1:3000";
const key = process.env.ORDERCTL_API_KEY;
const headers = key ? { Authorization: `Bearer ${key}` } : {};

async function submit(order) {
  const answer = await fetch(`${url}/api/orders/execute`, {
    method: "POST",
    // With the same key the order can be sent again after a lost answer: it is traded once.
    headers: { ...headers, "Content-Type": "application/json", "Idempotency-Key": randomUUID() },
    body: JSON.stringify(order),
  });
  const body = await answer.json();
  if (!answer.ok) throw new Error(body.error);
  return body.orderId;
}

// Resolves to the last update. The daemon closes the stream with 1000 after it.
function follow(orderId, onUpdate) {
  return new Promise((resolve, reject) => {
    const updates = [];
    const connect = () => {
      const socket = new WebSocket(`${url.replace(/^http/, "ws")}/ws?orderId=${orderId}`, { headers });
      let number = 0;
      socket.on("message", (message) => {
        // After a lost connection the stream starts with the first update again.
        if (number++ < updates.length) return;
        updates.push(JSON.parse(message));
        onUpdate(updates.at(-1));
      });
      socket.on("unexpected-response", (_, response) => reject(new Error(`refused with ${response.statusCode}`)));
      socket.on("error", (error) => console.error(error.message));
      socket.on("close", (code) => {
        if (code === 1000) return resolve(updates.at(-1));
        console.error(`closed with ${code}; connecting again`);
        setTimeout(connect, PAUSE_MS);
      });
    };
    connect();
  });
}

async function main() {
  const orderId = await submit({ tokenIn: "SOL", tokenOut: "USDC", amountIn: 0.1, orderType: "market", slippage: 1.0 });
  const last = await follow(orderId, (update) => console.log(JSON.stringify(update)));
  process.exitCode = last.status === "confirmed" ? 0 : 1;
}

main().catch((error) => {
  console.error(error.message);
  process.exit(1);
});
