/** An OpenAPI 3.1 description -> the TypeScript of its answers. What it cannot translate is an error, never `any`. */

const HEAD = `/**
 * The answers of the server, as JSON gives them.
 *
 * Made from \`api/v1/openapi.json\` by \`make schema\`: change the structs of the server, and not this file.
 */
`;

/** Where the paths of the API begin. */
const ROOT = '/api/v1/';

/** Lines of comments are broken here. */
const LINE = 118;

export function typeScript(description) {
  const schemas = Object.entries(description.components.schemas).sort(byName);
  const types = schemas.map(([name, schema]) => declaration(name, schema));
  return `${[HEAD, ...types, answers(description.paths)].join('\n')}`;
}

const byName = ([a], [b]) => (a < b ? -1 : a > b ? 1 : 0);

/** A named schema as an interface, or as a type where it is no object. */
function declaration(name, schema) {
  const doc = comment(schema.description, '');
  if (schema.allOf) {
    const bases = schema.allOf.filter((part) => part.$ref).map(typeOf);
    const own = schema.allOf.filter((part) => !part.$ref).flatMap(fields);
    const heading = bases.length > 0 ? `${name} extends ${bases.join(', ')}` : name;
    return `${doc}export interface ${heading} {\n${own.join('')}}\n`;
  }
  if (schema.properties) return `${doc}export interface ${name} {\n${fields(schema).join('')}}\n`;
  return `${doc}export type ${name} = ${typeOf(schema)};\n`;
}

/** The fields of an object, each with its description. */
function fields(schema) {
  if (schema.type !== 'object' || !schema.properties) throw new Error(`not an object: ${JSON.stringify(schema)}`);
  const required = schema.required ?? [];
  return Object.entries(schema.properties)
    .sort(byName)
    .map(([name, property]) => {
      const mark = required.includes(name) ? '' : '?';
      return `${comment(docOf(property), '  ')}  ${name}${mark}: ${typeOf(property)};\n`;
    });
}

/** A property that refers to another schema, or to null, has its description beside the reference. */
const docOf = (property) => property.description ?? property.oneOf?.find((part) => part.description)?.description;

function typeOf(schema) {
  if (schema.$ref) return schema.$ref.split('/').at(-1);
  if (schema.enum) return union(schema.enum.map(literal));
  const parts = schema.oneOf ?? schema.anyOf;
  if (parts) return union(parts.map(typeOf));
  if (Array.isArray(schema.type)) return union(schema.type.map((type) => plain({ ...schema, type })));
  return plain(schema);
}

function plain(schema) {
  switch (schema.type) {
    case 'null':
    case 'string':
    case 'boolean':
      return schema.type;
    case 'integer':
    case 'number':
      return 'number';
    case 'object':
      if (schema.additionalProperties?.type || schema.additionalProperties?.$ref) {
        return `Record<string, ${typeOf(schema.additionalProperties)}>`;
      }
      throw new Error(`no TypeScript for ${JSON.stringify(schema)}`);
    case 'array': {
      const item = typeOf(schema.items);
      return isUnion(schema.items) ? `(${item})[]` : `${item}[]`;
    }
    default:
      throw new Error(`no TypeScript for ${JSON.stringify(schema)}`);
  }
}

const isUnion = ({ enum: values, oneOf, anyOf, type }) => (values ?? oneOf ?? anyOf ?? [type].flat()).length > 1;

const literal = (value) => (value === null ? 'null' : `'${value}'`);

const union = (types) => [...new Set(types)].join(' | ');

function comment(text, indent) {
  if (!text) return '';
  const words = text.split(/\s+/);
  if (indent.length + text.length + 7 <= LINE) return `${indent}/** ${words.join(' ')} */\n`;
  const lines = [''];
  for (const word of words) {
    const line = lines.at(-1);
    if (line !== '' && indent.length + line.length + word.length + 4 > LINE) lines.push(word);
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
  }
  return `${indent}/**\n${lines.map((line) => `${indent} * ${line}\n`).join('')}${indent} */\n`;
}

/** What each path below `api/v1/` answers, where that is JSON or a stream of it. */
function answers(paths) {
  const rows = Object.entries(paths)
    .sort(byName)
    .flatMap(([path, methods]) => {
      const content = methods.get?.responses['200']?.content ?? {};
      const schema = (content['application/json'] ?? content['text/event-stream'])?.schema;
      return path.startsWith(ROOT) && schema ? [`  ${key(path.slice(ROOT.length))}: ${typeOf(schema)};\n`] : [];
    });
  return `/** What each path below \`api/v1/\` answers; of \`live\`, each event. */\nexport interface Answers {\n${rows.join('')}}\n`;
}

const key = (path) => (/^\w+$/.test(path) ? path : `'${path}'`);
