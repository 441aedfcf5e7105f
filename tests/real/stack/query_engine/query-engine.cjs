#!/usr/bin/env node
// Answers as Prisma 5.17's native `query-engine` program does, where that program cannot be downloaded.
// Prisma's Python client starts it with `-p PORT` and speaks GraphQL to it over HTTP on loopback.
'use strict';
const fs = require('node:fs');
const http = require('node:http');

const VERSION = '393aa359c9ad4a4bb28630fb5613f9c281cde053';
const argv = process.argv.slice(2);
if (argv.includes('--version')) {
  console.log(`query-engine ${VERSION}`);
  process.exit(0);
}
const { open } = require('./database.cjs');
const { readModels, toAnswer, toQuery } = require('./graphql.cjs');

/** The database's address: the client may override the one in the environment. */
function address() {
  const sources = JSON.parse(process.env.OVERWRITE_DATASOURCES || '[]');
  return sources[0]?.url ?? process.env.DATABASE_URL;
}

/** An exception in the shape in which the engine reports a failed query. */
function failure(error) {
  const message = String(error?.message ?? error);
  return { error: message, user_facing_error: { is_panic: false, message, meta: {}, error_code: 'P2010' } };
}

class Engine {
  constructor({ engine, adapter }, datamodel) {
    this.engine = engine;
    this.adapter = adapter;
    this.models = readModels(datamodel);
  }

  /** An error thrown inside the driver crosses the WASM border as a number (P2036): put the driver's words back. */
  explain(error) {
    if (error.user_facing_error?.error_code !== 'P2036') return error;
    const thrown = this.adapter.errorRegistry.consumeError(error.user_facing_error.meta.id);
    return thrown ? failure(thrown.error) : error;
  }

  answer(raw) {
    const explained = raw.errors ? { ...raw, errors: raw.errors.map((error) => this.explain(error)) } : raw;
    return toAnswer(explained);
  }

  async query({ query, batch, transaction }, transactionId) {
    const body = batch
      ? { batch: batch.map((item) => toQuery(item.query, this.models)), ...(transaction ? { transaction: {} } : {}) }
      : toQuery(query, this.models);
    const raw = JSON.parse(await this.engine.query(JSON.stringify(body), '{}', transactionId));
    return raw.batchResult ? { ...raw, batchResult: raw.batchResult.map((item) => this.answer(item)) } : this.answer(raw);
  }

  async begin({ max_wait = 2000, timeout = 5000, isolation_level }) {
    return JSON.parse(await this.engine.startTransaction(JSON.stringify({ max_wait, timeout, isolation_level }), '{}'));
  }

  async end(id, how) {
    const done = how === 'commit' ? this.engine.commitTransaction(id, '{}') : this.engine.rollbackTransaction(id, '{}');
    return JSON.parse((await done) || '{}') ?? {};
  }

  /** [status, body] for one request. */
  async serve(url, body, transactionId) {
    const [, first, id, how] = url.pathname.split('/');
    if (first === 'status') return [200, { status: 'ok' }];
    if (first === 'metrics') return [200, { counters: [], gauges: [], histograms: [] }];
    if (first !== 'transaction') return [200, await this.query(JSON.parse(body), transactionId)];
    const result = id === 'start' ? await this.begin(JSON.parse(body || '{}')) : await this.end(id, how);
    return [result.error_code ? 500 : 200, result];
  }
}

async function handle(engine, request, response) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const url = new URL(request.url, 'http://loopback');
  let status = 200;
  let body;
  try {
    const text = Buffer.concat(chunks).toString();
    [status, body] = await engine.serve(url, text, request.headers['x-transaction-id']);
  } catch (error) {
    console.error('query engine stand-in:', error?.stack ?? error);
    body = { errors: [failure(error)] };
  }
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

async function main() {
  const port = Number(argv[argv.findIndex((word) => word === '-p' || word === '--port') + 1]);
  const datamodel = fs.readFileSync(process.env.PRISMA_DML_PATH, 'utf8');
  const engine = new Engine(await open(address(), datamodel), datamodel);
  const listener = (request, response) => handle(engine, request, response);
  for (const host of ['127.0.0.1', '::1']) { // the client asks `localhost`, which may be either
    const server = http.createServer({ keepAliveTimeout: 120_000 }, listener);
    if (host === '::1') server.on('error', () => {}); // a machine without IPv6
    server.listen(port, host);
  }
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(0));
  // The proxy may be killed without a word: an engine without its parent would hold a port and connections for ever.
  const parent = process.ppid;
  setInterval(() => process.ppid === parent || process.exit(0), 1000).unref();
}

main().catch((error) => {
  console.error('query engine stand-in failed to start:', error);
  process.exit(1);
});
