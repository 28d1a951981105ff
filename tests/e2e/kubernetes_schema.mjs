// kubernetes_schema - makes kubernetes_schema.json from the types that Kubernetes publishes:
//   npm pack @kubernetes/client-node && tar xzf *.tgz && node kubernetes_schema.mjs package >kubernetes_schema.json
//
// The official client is generated from the published OpenAPI. Of its types those are kept
// that a manifest of these kinds can be made of, each with its fields, their types, and "!"
// behind the name of a field that must be there; what only a cluster writes is left out.
import { readFileSync } from 'node:fs';

const KINDS = ['V1Deployment', 'V1PersistentVolumeClaim', 'V1Service'];
const WRITTEN_BY_CLUSTER = /Status$|^V1ManagedFieldsEntry$|^V1OwnerReference$/;
const models = `${process.argv[2]}/dist/gen/models/`;
const types = {};
let release;

function typed({ type, format }) {
  return format === 'int-or-string' ? 'IntOrString' : /^int/.test(format) ? 'integer' : type;
}

function take(name) {
  if (types[name]) return;
  const code = readFileSync(`${models}${name}.js`, 'utf8');
  const declared = readFileSync(`${models}${name}.d.ts`, 'utf8');
  release ??= /OpenAPI spec version: release-(\S+)/.exec(code)[1];
  const fields = JSON.parse(/attributeTypeMap = (\[.*?\n\]);/s.exec(code)[1]);
  types[name] = {};
  for (const field of fields) {
    const type = typed(field);
    const inner = /V\d\w*/.exec(type)?.[0];
    if (inner && WRITTEN_BY_CLUSTER.test(inner)) continue;
    const must = new RegExp(`^ +'${field.name}': `, 'm').test(declared);
    types[name][field.baseName + (must ? '!' : '')] = type;
    if (inner) take(inner);
  }
}

KINDS.forEach(take);
const lines = Object.keys(types).sort().map((name) => `  ${JSON.stringify(name)}: ${JSON.stringify(types[name])}`);
console.log(`{\n  "release": ${JSON.stringify(release)},\n${lines.join(',\n')}\n}`);
