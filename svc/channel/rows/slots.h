// Which slot of the ring an id is of.

#pragma once

#include "layout.h"

static const uint64_t IV[8] = {0x6a09e667f3bcc908ull, 0xbb67ae8584caa73bull, 0x3c6ef372fe94f82bull, 0xa54ff53a5f1d36f1ull,
                               0x510e527fade682d1ull, 0x9b05688c2b3e6c1full, 0x1f83d9abfb41bd6bull, 0x5be0cd19137e2179ull};
static const uint8_t SIGMA[10][16] = {
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}, {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
    {11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4}, {7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
    {9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13}, {2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
    {12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11}, {13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
    {6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5}, {10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0}};

static inline uint64_t rotated(uint64_t word, int by) { return word >> by | word << (64 - by); }

static inline __attribute__((always_inline)) void blake2b_block(uint64_t h[8], const uint64_t m[16], uint64_t upto,
                                                                int is_last) {
    uint64_t v[16];
    memcpy(v, h, 64);
    memcpy(v + 8, IV, 64);
    v[12] ^= upto;
    if (is_last) v[14] = ~v[14];
#define MIX(a, b, c, d, x, y)                                                                                        \
    v[a] += v[b] + (x), v[d] = rotated(v[d] ^ v[a], 32), v[c] += v[d], v[b] = rotated(v[b] ^ v[c], 24),              \
        v[a] += v[b] + (y), v[d] = rotated(v[d] ^ v[a], 16), v[c] += v[d], v[b] = rotated(v[b] ^ v[c], 63)
#pragma GCC unroll 12
    for (int round = 0; round < 12; round++) {
        const uint8_t *s = SIGMA[round % 10];
        MIX(0, 4, 8, 12, m[s[0]], m[s[1]]);
        MIX(1, 5, 9, 13, m[s[2]], m[s[3]]);
        MIX(2, 6, 10, 14, m[s[4]], m[s[5]]);
        MIX(3, 7, 11, 15, m[s[6]], m[s[7]]);
        MIX(0, 5, 10, 15, m[s[8]], m[s[9]]);
        MIX(1, 6, 11, 12, m[s[10]], m[s[11]]);
        MIX(2, 7, 8, 13, m[s[12]], m[s[13]]);
        MIX(3, 4, 9, 14, m[s[14]], m[s[15]]);
    }
#undef MIX
    for (int i = 0; i < 8; i++) h[i] ^= v[i] ^ v[i + 8];
}

static inline uint64_t little_endian(const uint8_t *bytes) {
    uint64_t word = 0;
    for (int i = 0; i < 8; i++) word |= (uint64_t)bytes[i] << 8 * i;
    return word;
}

// The slot of an id, as discovery/ring.py has it: blake2b-64 (RFC 7693), little-endian, modulo SLOTS.
static uint32_t slot_of(const char *id, size_t length) {
    uint64_t h[8], m[16];
    memcpy(h, IV, 64);
    h[0] ^= 0x01010000 ^ 8;
    if (length <= 16) {
        // As all ids are that are minted: with fourteen words that are known to be zero, half of the work falls away.
        uint8_t bytes[16] = {0};
        memcpy(bytes, id, length);
        const uint64_t short_m[16] = {little_endian(bytes), little_endian(bytes + 8)};
        blake2b_block(h, short_m, length, 1);
        return h[0] % SLOTS;
    }
    size_t done = 0;
    do {
        size_t take = length - done < 128 ? length - done : 128;
        uint8_t bytes[128] = {0};
        memcpy(bytes, id + done, take);
        for (int i = 0; i < 16; i++) m[i] = little_endian(bytes + 8 * i);
        done += take;
        blake2b_block(h, m, done, done == length);
    } while (done < length);
    return h[0] % SLOTS;
}
