/** Tokens are those of the server, and nothing malformed gets through. */
import { expect, test } from "vitest";
import { decode, encode, TokenMalformed } from "./tokens";

test("a token of the server's is read", async () => {
  const token = "eAHj4g4xiDAJ9jYOd3Ty5uIOhXKczXy4uJ0hnMioIEMYx8TIxc1diIWNiZsDAIauDGQ";
  expect(await decode(token)).toEqual(
    new Map([
      ["T0X4SK3WABK", 6],
      ["U0X4SK3WC6L", 2],
      ["C0X4SK3YZR1", 11],
      ["C0X4SK42DFG", 8],
    ]),
  );
});

test("what is written is read, whatever the offsets are", async () => {
  const offsets = [0, 1, 127, 128, 300, 2 ** 31, 2 ** 32 + 5, 2 ** 52];
  const positions = new Map(offsets.map((offset, at) => [`C${at}`, offset]));
  const token = await encode(positions);
  expect(token).toMatch(/^[A-Za-z0-9_-]+$/);
  expect(await decode(token)).toEqual(positions);
  expect(await decode(await encode(new Map()))).toEqual(new Map());
  expect(await decode("")).toEqual(new Map());
});

test("a very large one keeps one's own channels, and stays within what the contract allows", async () => {
  const many = new Map(Array.from({ length: 20_500 }, (_, at) => [`C${String(at).padStart(10, "0")}`, at]));
  const token = await encode(new Map([...many, ["U1", 5], ["T1", 6]]));
  const read = await decode(token);
  expect([read.size, read.get("U1"), read.get("T1")]).toEqual([20_000, 5, 6]);
  expect(token.length).toBeLessThan(256 * 1024);
});

test.each(["?", "eAHj", "AAAA", "x".repeat(50)])("%s is no token", async (token) => {
  await expect(decode(token)).rejects.toThrow(TokenMalformed);
});
