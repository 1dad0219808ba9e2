import { Buffer } from 'node:buffer';

/** Wire types of fields (Protocol Buffers, "Encoding"). */
const varintType = 0;
const fixed64Type = 1;
const bytesType = 2;

/** The length of the longest varint in bytes: 64 bits, seven per byte. */
const varintBytesMax = 10;

/** Writes protobuf fields into one growing buffer. */
export class ProtoWriter {
  #bytes: Buffer;
  #length = 0;

  /** `capacity`: initial size in bytes. */
  constructor(capacity: number) {
    this.#bytes = Buffer.allocUnsafeSlow(capacity);
  }

  get length(): number {
    return this.#length;
  }

  /** Returns the bytes written since the last call. The caller owns them. */
  take(): Uint8Array {
    const taken = this.#bytes.subarray(0, this.#length);
    this.#bytes = Buffer.allocUnsafeSlow(this.#bytes.length);
    this.#length = 0;
    return taken;
  }

  /** Writes a non-negative integer in groups of seven bits, lowest first. */
  varint(value: number | bigint): void {
    this.#reserve(varintBytesMax);
    let rest = typeof value === 'bigint' && value <= Number.MAX_SAFE_INTEGER ? Number(value) : value;
    if (typeof rest === 'bigint') {
      for (; rest > 127n; rest >>= 7n) this.#bytes[this.#length++] = Number(rest & 127n) | 128;
    } else {
      for (; rest > 127; rest = Math.floor(rest / 128)) this.#bytes[this.#length++] = (rest % 128) | 128;
    }
    this.#bytes[this.#length++] = Number(rest);
  }

  /** Writes an unsigned integer or enum field. */
  uint(field: number, value: number | bigint): void {
    this.varint(field * 8 + varintType);
    this.varint(value);
  }

  /** Writes an int64 field. Negative numbers are in two's complement. */
  int(field: number, value: number): void {
    this.uint(field, value < 0 ? BigInt.asUintN(64, BigInt(value)) : value);
  }

  /** Writes a sint32 or sint64 field in zigzag encoding. */
  sint(field: number, value: number): void {
    this.uint(field, value < 0 ? -2 * value - 1 : 2 * value);
  }

  double(field: number, value: number): void {
    this.varint(field * 8 + fixed64Type);
    this.#reserve(8);
    this.#length = this.#bytes.writeDoubleLE(value, this.#length);
  }

  string(field: number, value: string): void {
    this.message(field, () => {
      this.#reserve(value.length * 3);
      this.#length += this.#bytes.write(value, this.#length, 'utf8');
    });
  }

  /** Writes a length-delimited field. `write` writes its content; the length is inserted before it afterwards. */
  message(field: number, write: () => void): void {
    this.varint(field * 8 + bytesType);
    const start = this.#length + 1;
    this.#reserve(1);
    this.#length = start;
    write();
    const size = this.#length - start;
    const extra = varintSize(size) - 1;
    if (extra > 0) {
      this.#reserve(extra);
      this.#bytes.copyWithin(start + extra, start, this.#length);
    }
    this.#length = start - 1;
    this.varint(size);
    this.#length += size;
  }

  #reserve(size: number): void {
    const needed = this.#length + size;
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.#bytes.length * 2));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}

function varintSize(value: number): number {
  let size = 1;
  for (let rest = value; rest > 127; rest = Math.floor(rest / 128)) size++;
  return size;
}
