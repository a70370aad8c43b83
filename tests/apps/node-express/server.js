"use strict";

const express = require("express");

const VERSION = "v1";
const GREETING = process.env.GREETING || "Hello";
const PORT = process.env.PORT || 3000;

const app = express();
app.disable("x-powered-by");

app.get("/", (request, response) => {
  response.json({ name: "node-express", version: VERSION, greeting: GREETING });
});

app.get("/healthz", (request, response) => {
  response.json({ status: "ok" });
});

const server = app.listen(PORT, "0.0.0.0", () => {
  console.log(`node-express ${VERSION} listens on ${PORT}`);
});

// Finish the requests under way, then end: a rollout loses none.
process.on("SIGTERM", () => server.close(() => process.exit(0)));
