/** Checkpoints as safetensors writes them: the length of a header, the header in JSON, the numbers. */
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** The bytes of a file of these float32 tensors: `{ 'conv1.weight': { shape: [8, 3, 5, 5], elements } }`, and of texts. */
export function safetensors(tensors, metadata = undefined) {
  const header = metadata === undefined ? {} : { __metadata__: metadata };
  const numbers = [];
  let end = 0;
  for (const [name, { shape, elements }] of Object.entries(tensors)) {
    const bytes = Buffer.from(Float32Array.from(elements).buffer);
    header[name] = { dtype: 'F32', shape, data_offsets: [end, end + bytes.length] };
    numbers.push(bytes);
    end += bytes.length;
  }
  const json = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, json, ...numbers]);
}

/** Writes a file in one go, as libraries do that first write another one; its directory is made. */
export function save(path, bytes) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.tmp`, bytes);
  renameSync(`${path}.tmp`, path);
}
