// GraphQL, as Prisma's Python client writes it, in the JSON protocol, which is all that the WASM engine reads.
'use strict';
const { parse } = require('graphql');

const RAW = new Set(['queryRaw', 'executeRaw']);
// Longest names first: `updateManyFoo` must not be taken for `update` on a model `ManyFoo`.
const ACTIONS = [
  'findUnique', 'findFirst', 'findMany', 'createOne', 'createMany', 'updateOne', 'updateMany', 'deleteOne', 'deleteMany',
  'upsertOne', 'aggregate', 'groupBy',
];
const ROWS = new Set(['data', 'create', 'update', 'where', 'cursor', 'having']); // arguments shaped like a model's row
const JSON_PLAIN = new Set(['path', 'mode']); // inside a filter on a Json column: settings, not JSON values

/** The columns of every model: name → {column → type}, read from the schema that the client was generated from. */
function readModels(datamodel) {
  const models = {};
  for (const [, name, body] of datamodel.matchAll(/^model\s+(\w+)\s*\{([\s\S]*?)^\}/gm)) {
    const columns = [...body.matchAll(/^\s+(\w+)\s+(\w+)/gm)].map(([, column, type]) => [column, type]);
    models[name] = Object.fromEntries(columns);
  }
  return models;
}

/** A GraphQL literal as a JavaScript value. */
function literal(node) {
  switch (node.kind) {
    case 'NullValue': return null;
    case 'ListValue': return node.values.map(literal);
    case 'ObjectValue': return Object.fromEntries(node.fields.map((field) => [field.name.value, literal(field.value)]));
    case 'FloatValue': return Number(node.value);
    case 'IntValue': {
      const number = Number(node.value);
      return Number.isSafeInteger(number) ? number : { $type: 'BigInt', value: node.value };
    }
    case 'Variable': throw new Error(`the client writes its values into the query; ${node.name.value} is a variable`);
    default: return node.value; // strings, booleans, enums
  }
}

const named = (nodes) => Object.fromEntries((nodes ?? []).map((node) => [node.name.value, literal(node.value)]));

/** What is to be returned, field by field. */
function selection(set) {
  const chosen = {};
  for (const field of set?.selections ?? []) {
    const plain = !field.selectionSet && !field.arguments?.length;
    chosen[field.name.value] = plain ? true : { arguments: named(field.arguments), selection: selection(field.selectionSet) };
  }
  return chosen;
}

/** GraphQL has Json values as strings; the JSON protocol wants them marked as Json. */
function markJson(value) {
  if (typeof value === 'string') return { $type: 'Json', value };
  if (Array.isArray(value)) return value.map(markJson);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, JSON_PLAIN.has(k) ? v : markJson(v)]));
}

/** A row-shaped argument with the values of its Json columns marked, through relations and through AND/OR/NOT. */
function markRow(value, model, models) {
  if (Array.isArray(value)) return value.map((item) => markRow(item, model, models));
  if (value === null || typeof value !== 'object' || '$type' in value) return value;
  const mark = ([key, inner]) => {
    const type = models[model]?.[key];
    return [key, type === 'Json' ? markJson(inner) : markRow(inner, models[type] ? type : model, models)];
  };
  return Object.fromEntries(Object.entries(value).map(mark));
}

/** `findUniqueUserOrThrow` → {action: 'findUniqueOrThrow', modelName: 'User'}. */
function operation(name) {
  if (RAW.has(name)) return { action: name };
  const action = ACTIONS.find((candidate) => name.startsWith(candidate));
  if (!action) throw new Error(`${name} is no operation of the query engine`);
  const rest = name.slice(action.length);
  return rest.endsWith('OrThrow')
    ? { action: `${action}OrThrow`, modelName: rest.slice(0, -'OrThrow'.length) }
    : { action, modelName: rest };
}

/** One GraphQL document with one operation as one JSON query. */
function toQuery(text, models) {
  const field = parse(text, { noLocation: true }).definitions[0].selectionSet.selections[0];
  const what = operation(field.name.value);
  const given = named(field.arguments);
  for (const key of Object.keys(given)) {
    if (what.modelName && ROWS.has(key)) given[key] = markRow(given[key], what.modelName, models);
  }
  return { ...what, query: { arguments: given, selection: selection(field.selectionSet) } };
}

/** The engine's answer without its type marks: GraphQL clients get plain values. */
function plain(value) {
  if (Array.isArray(value)) return value.map(plain);
  if (value === null || typeof value !== 'object') return value;
  if ('$type' in value) return value.$type === 'Raw' ? value.value : plain(value.value);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
}

/** One answer under the name that the client always asks for. */
const toAnswer = (answer) => (answer.data ? { data: { result: plain(Object.values(answer.data)[0]) } } : answer);

module.exports = { readModels, toAnswer, toQuery };
