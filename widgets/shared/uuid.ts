/** An identifier that follows from a name (RFC 9562, version 5). A page that came without encryption has no `crypto.subtle`. */
export function uuid5(namespace: string, name: string): string {
  const space = Uint8Array.from(namespace.replaceAll('-', '').match(/../g) ?? [], (hex) => parseInt(hex, 16));
  const digest = sha1(new Uint8Array([...space, ...new TextEncoder().encode(name)])).subarray(0, 16);
  digest[6] = ((digest[6] ?? 0) & 15) | 0x50;
  digest[8] = ((digest[8] ?? 0) & 63) | 0x80;
  const hex = Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

function sha1(data: Uint8Array): Uint8Array {
  const padded = new DataView(new ArrayBuffer(64 * Math.ceil((data.length + 9) / 64)));
  new Uint8Array(padded.buffer).set(data);
  padded.setUint8(data.length, 0x80);
  padded.setBigUint64(padded.byteLength - 8, BigInt(8 * data.length));
  const state = Uint32Array.of(0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0);
  const words = new Uint32Array(80);
  const turned = (word: number, by: number) => (word << by) | (word >>> (32 - by));
  for (let block = 0; block < padded.byteLength; block += 64) {
    let [a = 0, b = 0, c = 0, d = 0, e = 0] = state;
    for (let at = 0; at < 80; at++) {
      const before = (back: number) => words[at - back] ?? 0;
      words[at] = at < 16 ? padded.getUint32(block + 4 * at) : turned(before(3) ^ before(8) ^ before(14) ^ before(16), 1);
      const [mixed, constant] =
        at < 20 ? [(b & c) | (~b & d), 0x5a827999] : at < 40 ? [b ^ c ^ d, 0x6ed9eba1] : at < 60 ? [(b & c) | (b & d) | (c & d), 0x8f1bbcdc] : [b ^ c ^ d, 0xca62c1d6];
      const next = (turned(a, 5) + mixed + e + constant + (words[at] ?? 0)) | 0;
      [a, b, c, d, e] = [next, a, turned(b, 30), c, d];
    }
    [a, b, c, d, e].forEach((word, at) => {
      state[at] = (state[at] ?? 0) + word;
    });
  }
  const digest = new DataView(new ArrayBuffer(20));
  state.forEach((word, at) => {
    digest.setUint32(4 * at, word);
  });
  return new Uint8Array(digest.buffer);
}
