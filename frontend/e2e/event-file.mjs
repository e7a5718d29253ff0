/** Event files as TensorBoard's writers leave them: scalars, histograms and float32 tensors, in framed protobuf. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  return crc >>> 0;
});

/** The masked CRC-32C of TFRecord. */
function masked(bytes) {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (crc >>> 8) ^ CRC_TABLE[(crc ^ byte) & 0xff];
  crc = (crc ^ 0xffffffff) >>> 0;
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

function varint(number) {
  const bytes = [];
  for (let rest = BigInt(number); ; rest >>= 7n) {
    if (rest < 128n) return Buffer.from([...bytes, Number(rest)]);
    bytes.push(Number(rest & 127n) | 128);
  }
}

const counted = (field, number) => Buffer.concat([varint(field << 3), varint(number)]);

function double(field, number) {
  const bytes = Buffer.alloc(9);
  bytes[0] = (field << 3) | 1;
  bytes.writeDoubleLE(number, 1);
  return bytes;
}

function float(field, number) {
  const bytes = Buffer.alloc(5);
  bytes[0] = (field << 3) | 5;
  bytes.writeFloatLE(number, 1);
  return bytes;
}

function within(field, ...parts) {
  const bytes = Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part)));
  return Buffer.concat([varint((field << 3) | 2), varint(bytes.length), bytes]);
}

function record(event) {
  const head = Buffer.alloc(12);
  head.writeBigUInt64LE(BigInt(event.length));
  head.writeUInt32LE(masked(head.subarray(0, 8)), 8);
  const tail = Buffer.alloc(4);
  tail.writeUInt32LE(masked(event));
  return Buffer.concat([head, event, tail]);
}

/** One value of a summary at a step. */
const logged = (tag, step, value) =>
  record(Buffer.concat([double(1, 1000 + step), counted(2, step), within(5, within(1, within(1, tag), value))]));

export const scalar = (tag, step, number = 0.5) => logged(tag, step, float(2, number));

export const histogram = (tag, step) => logged(tag, step, within(5, double(1, -1), double(2, 1), double(3, 4)));

/** A float32 tensor, its elements in the order of its axes. */
export function tensor(tag, step, shape, elements) {
  const bytes = Buffer.from(Float32Array.from(elements).buffer);
  const dims = within(2, ...shape.map((length) => within(2, counted(1, length))));
  return logged(tag, step, within(8, counted(1, 1), dims, within(4, bytes)));
}

/** Numbers that look like noise and are the same each time, from -1 to 1. */
export function noise(count, seed = 1) {
  let state = seed;
  return Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

/** Writes an event file of these records; its directory is made. */
export function writeEvents(path, ...records) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, Buffer.concat(records));
}

export const FILE = 'events.out.tfevents.1000.test';
