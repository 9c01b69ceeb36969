// PNGs small enough to be committed.
import { crc32, deflateSync } from "node:zlib";
import { PNG } from "pngjs";

/** Halves the width and height: each pixel is the mean of four. */
export function halved({ width, height, data }) {
  const half = new PNG({ width: width >> 1, height: height >> 1 });
  for (let y = 0; y < half.height; y++) {
    for (let x = 0; x < half.width; x++) {
      for (let part = 0; part < 4; part++) {
        const at = (dx, dy) => data[((2 * y + dy) * width + 2 * x + dx) * 4 + part];
        half.data[(y * half.width + x) * 4 + part] = (at(0, 0) + at(1, 0) + at(0, 1) + at(1, 1)) / 4;
      }
    }
  }
  return half;
}

/** A PNG with the 256 most frequent colours; others become the nearest of these. */
export function indexed({ width, height, data }) {
  const colors = new Map();
  const colorAt = (pixel) => data.readUIntBE(pixel * 4, 3);
  for (let pixel = 0; pixel < width * height; pixel++) colors.set(colorAt(pixel), (colors.get(colorAt(pixel)) ?? 0) + 1);
  const palette = [...colors].sort(([, a], [, b]) => b - a).slice(0, 256).map(([color]) => color);
  const parts = (color) => [color >> 16, (color >> 8) & 255, color & 255];
  const distance = (a, b) => parts(a).reduce((sum, part, index) => sum + (part - parts(b)[index]) ** 2, 0);
  const nearest = (color) => palette.reduce((best, other, index) => (distance(color, other) < distance(color, palette[best]) ? index : best), 0);
  const indexes = new Map([...colors.keys()].map((color) => [color, nearest(color)]));
  const rows = Buffer.alloc((width + 1) * height); // each begins with the number of its filter, 0 for none
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) rows[y * (width + 1) + 1 + x] = indexes.get(colorAt(y * width + x));
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 3, 0, 0, 0], 8); // eight bits for each pixel: its index in the palette
  const signature = Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]);
  return Buffer.concat([signature, chunk("IHDR", header), chunk("PLTE", Buffer.from(palette.flatMap(parts))), chunk("IDAT", deflateSync(rows, { level: 9 })), chunk("IEND", Buffer.alloc(0))]);
}

function chunk(name, bytes) {
  const named = Buffer.concat([Buffer.from(name), bytes]);
  const framed = Buffer.alloc(named.length + 8);
  framed.writeUInt32BE(bytes.length, 0);
  named.copy(framed, 4);
  framed.writeUInt32BE(crc32(named), named.length + 4);
  return framed;
}
