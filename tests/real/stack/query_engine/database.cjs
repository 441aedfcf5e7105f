// The WASM build of Prisma's query engine, joined to PostgreSQL by the driver adapter.
'use strict';
const fs = require('node:fs');
const path = require('node:path');
const { pathToFileURL } = require('node:url');
const pg = require('pg');
const { PrismaPg } = require('@prisma/adapter-pg');
const { bindAdapter } = require('@prisma/driver-adapter-utils');

const TEXT = 25;
const TEXT_ARRAY = 1009;
// Types that the adapter refuses and the native engine shows as text: char, name, int2vector, regproc, oidvector,
// name[], cstring-like pseudo types, interval, regclass, regtype, void, xid.
const AS_TEXT = new Set([18, 19, 22, 24, 28, 30, 705, 1186, 2202, 2203, 2204, 2205, 2206, 2278, 3220]);
const AS_TEXT_ARRAY = new Set([1003, 1187]);
for (const oid of AS_TEXT) pg.types.setTypeParser(oid, String);

/** The WASM module's own JavaScript is an ES module in a package that does not say so: give it the right ending. */
async function loadEngine() {
  const folder = path.join(path.dirname(require.resolve('@prisma/query-engine-wasm/package.json')), 'postgresql');
  const source = path.join(folder, 'query_engine_bg.js');
  const module = path.join(folder, 'query_engine_bg.mjs');
  if (!fs.existsSync(module)) {
    const fresh = `${module}.${process.pid}`; // two engines may start at once
    fs.copyFileSync(source, fresh);
    fs.renameSync(fresh, module);
  }
  const glue = await import(pathToFileURL(module).href);
  const binary = fs.readFileSync(path.join(folder, 'query_engine_bg.wasm'));
  const { instance } = await WebAssembly.instantiate(binary, { './query_engine_bg.js': glue });
  glue.__wbg_set_wasm(instance.exports);
  instance.exports.__wbindgen_start?.();
  return glue.QueryEngine;
}

/** `queryable` with every type that the adapter refuses presented as text. */
function readable(queryable) {
  const io = queryable.performIO.bind(queryable);
  queryable.performIO = async (query) => {
    const result = await io(query);
    for (const field of (result.ok && result.value.fields) || []) {
      if (AS_TEXT.has(field.dataTypeID)) field.dataTypeID = TEXT;
      else if (AS_TEXT_ARRAY.has(field.dataTypeID)) field.dataTypeID = TEXT_ARRAY;
    }
    return result;
  };
  return queryable;
}

/** A pool from a URL as Prisma writes it: `schema` and `connection_limit` are Prisma's, the rest is PostgreSQL's. */
function connect(address) {
  const url = new URL(address);
  const schema = url.searchParams.get('schema') ?? 'public';
  const max = Number(url.searchParams.get('connection_limit') ?? 10);
  for (const key of [...url.searchParams.keys()]) if (!key.startsWith('ssl')) url.searchParams.delete(key);
  const pool = new pg.Pool({ connectionString: url.toString(), max });
  pool.on('error', (error) => console.error('query engine stand-in: idle connection:', error.message));
  const adapter = readable(new PrismaPg(pool, { schema }));
  const start = adapter.startTransaction.bind(adapter);
  adapter.startTransaction = async () => (await start()).map(readable);
  return bindAdapter(adapter);
}

/** An engine that answers queries on `address` over `datamodel`, and the adapter that remembers the driver's errors. */
async function open(address, datamodel) {
  const QueryEngine = await loadEngine();
  const adapter = connect(address);
  const engine = new QueryEngine({ datamodel, logLevel: 'error', logQueries: false }, () => {}, adapter);
  await engine.connect('{}');
  return { engine, adapter };
}

module.exports = { open };
