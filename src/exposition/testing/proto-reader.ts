/** A protobuf message: values by field number. */
export type ProtoMessage = ReadonlyMap<number, readonly ProtoValue[]>;
/** A varint, eight bytes of a double, or bytes. */
type ProtoValue = bigint | number | Uint8Array;

/** Reads the messages of a delimited stream, each after its length. */
export function readDelimited(bytes: Uint8Array): ProtoMessage[] {
  const messages: ProtoMessage[] = [];
  let at = 0;
  while (at < bytes.length) {
    const [length, start] = readVarint(bytes, at);
    at = start + Number(length);
    messages.push(readMessage(bytes.subarray(start, at)));
  }
  return messages;
}

export function readMessage(bytes: Uint8Array): ProtoMessage {
  const fields = new Map<number, ProtoValue[]>();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = 0;
  while (at < bytes.length) {
    const [tag, start] = readVarint(bytes, at);
    const wireType = Number(tag & 7n);
    let value: ProtoValue;
    if (wireType === 0) [value, at] = readVarint(bytes, start);
    else if (wireType === 1) [value, at] = [view.getFloat64(start, true), start + 8];
    else if (wireType === 2) {
      const [length, content] = readVarint(bytes, start);
      at = content + Number(length);
      value = bytes.subarray(content, at);
    } else throw new Error(`unknown wire type ${wireType} at ${at}`);
    const field = Number(tag >> 3n);
    fields.set(field, [...(fields.get(field) ?? []), value]);
  }
  if (at !== bytes.length) throw new Error(`a field ends at ${at}, the message at ${bytes.length}`);
  return fields;
}

function readVarint(bytes: Uint8Array, start: number): [value: bigint, end: number] {
  let value = 0n;
  for (let at = start, shift = 0n; ; at++, shift += 7n) {
    const byte = bytes[at];
    if (byte === undefined) throw new Error(`a varint has no end, from ${start}`);
    value |= BigInt(byte & 127) << shift;
    if (byte < 128) return [value, at + 1];
  }
}

/** The messages of a repeated field. */
export function messagesOf(message: ProtoMessage, field: number): ProtoMessage[] {
  return (message.get(field) ?? []).map((value) => {
    if (!(value instanceof Uint8Array)) throw new Error(`field ${field} is no message`);
    return readMessage(value);
  });
}

/** The text of a field; empty if absent. */
export function stringOf(message: ProtoMessage, field: number): string {
  const value = message.get(field)?.[0];
  return value instanceof Uint8Array ? Buffer.from(value).toString() : '';
}

/** The signed numbers of a zigzag field. */
export function signedOf(message: ProtoMessage, field: number): number[] {
  return (message.get(field) ?? []).map((value) => {
    if (typeof value !== 'bigint') throw new Error(`field ${field} is no varint`);
    return Number(value & 1n ? -(value >> 1n) - 1n : value >> 1n);
  });
}
