// The rows of a channel server: plain.py in C, where a compiler was when Parley was set up. That file says what each
// call means; here is how sixteen million of them are kept in a gigabyte.
//
// A row is 32 bytes. Rows of one slot of the ring lie together in an open-addressed table (linear probing, deletion by
// shifting back), which grows by half: no growth moves more than one slot's rows, so the server never stops for
// one. An id is packed into 58 bits, reversibly; the few that do not fit are kept as strings and the key is their
// number. Who follows is kept in the row up to four, beyond that in a block of its own, 2 bytes each.

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>
#include <structmember.h>

enum {
    SLOTS = 16384,
    NUMBERS = 2047,  // attachments that have a number at a time, and those whose number is not free yet
    STAMP_BITS = 4,
    STAMP_MASK = (1 << STAMP_BITS) - 1,
    ENTRY_BITS = 15,  // number + 1, then the stamp
    ENTRY_MASK = (1 << ENTRY_BITS) - 1,
    INLINE = 4,
    ID_CHARS_MAX = 64,
    RECLAIM_ROWS = 8192,
    GROUP = 32,  // positions looked up together
    LINE = 64,   // of the processor's caches: a row lies in one
};

static const uint64_t NOT_OWNED = 1ull << 62;
static const uint64_t SPELLED = 1ull << 63;  // a key that is the number of an id kept as a string
static const uint64_t BLOCK = 1ull << 63;    // an audience that is the address of a block

enum { ACTIVE = 1u << 31, KNOWN = 1u << 30, VOUCHED = 1u << 29, BORN_MASK = VOUCHED - 1 };

typedef struct {
    uint64_t key;       // 0: no row
    uint64_t head;      // of the run, when KNOWN
    uint64_t audience;  // up to INLINE entries, the first in the lowest bits; or BLOCK and an address
    uint32_t run;       // offsets in the run, saturated
    uint32_t flags;     // and the generation in which the run began
} Row;

typedef struct {
    uint16_t count, room;
    uint16_t entries[];
} Block;

typedef struct {
    Row *rows;
    uint32_t capacity, used;
} Slot;

enum { FREE = 0, HELD, RETIRED, SWEPT };  // what a number is; SWEPT: retired before the sweep that is under way began

typedef struct {
    PyObject_HEAD
    Slot *slots;
    Py_buffer since;
    PyObject *members[NUMBERS];
    Py_ssize_t counts[NUMBERS];
    uint8_t kinds[NUMBERS];
    PyObject *spelled;   // dict: id to number
    PyObject *spellings; // list: number to id, or None
    PyObject *unused;    // list of numbers
    Py_ssize_t rows_max, count, followed;
    unsigned long long heads_dropped;
    uint32_t hand, reclaim_hand, sweep_left;
    int wants_sweep;
} Rows;

// Ids

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

// [0-9A-Z]{1,11} as a number: digits from 1, base 37, so that no two ids have one. 0: not of that form.
static uint64_t packed(const char *id, size_t length) {
    if (length > 11) return 0;
    uint64_t key = 0;
    for (size_t i = 0; i < length; i++) {
        unsigned char c = id[i];
        if (c >= '0' && c <= '9')
            key = key * 37 + (c - '0' + 1);
        else if (c >= 'A' && c <= 'Z')
            key = key * 37 + (c - 'A' + 11);
        else
            return 0;
    }
    return key;
}

static size_t unpacked(uint64_t key, char id[11]) {
    char reversed[11];
    size_t length = 0;
    for (; key; key /= 37) {
        int digit = key % 37;
        reversed[length++] = digit <= 10 ? '0' + digit - 1 : 'A' + digit - 11;
    }
    for (size_t i = 0; i < length; i++) id[i] = reversed[length - 1 - i];
    return length;
}

typedef struct {
    uint64_t key;  // 0: spelled, and not known yet
    uint32_t slot;
    const char *text;
    size_t length;
} Id;

// Returns -1 with an exception set.
static int id_from(Rows *self, Id *id, const char *text, size_t length) {
    id->text = text;
    id->length = length;
    id->slot = slot_of(text, length);
    id->key = packed(text, length);
    if (id->key) return 0;
    PyObject *name = PyUnicode_DecodeUTF8(text, length, NULL);
    if (name == NULL) return -1;
    PyObject *number = PyDict_GetItemWithError(self->spelled, name);
    Py_DECREF(name);
    if (number != NULL) id->key = SPELLED | PyLong_AsUnsignedLongLong(number);
    return number == NULL && PyErr_Occurred() ? -1 : 0;
}

static int id_from_object(Rows *self, Id *id, PyObject *name) {
    Py_ssize_t length;
    const char *text = PyUnicode_AsUTF8AndSize(name, &length);
    return text == NULL ? -1 : id_from(self, id, text, length);
}

// Gives a spelled id its number.
static int id_number(Rows *self, Id *id) {
    PyObject *name = PyUnicode_DecodeUTF8(id->text, id->length, NULL), *number = NULL;
    if (name == NULL) return -1;
    Py_ssize_t spare = PyList_GET_SIZE(self->unused);
    int failed = -1;
    if (spare) {
        number = Py_NewRef(PyList_GET_ITEM(self->unused, spare - 1));
        failed = PyList_SetSlice(self->unused, spare - 1, spare, NULL) < 0 ||
                 PyList_SetItem(self->spellings, PyLong_AsSsize_t(number), Py_NewRef(name)) < 0;
    } else {
        number = PyLong_FromSsize_t(PyList_GET_SIZE(self->spellings));
        failed = number == NULL || PyList_Append(self->spellings, name) < 0;
    }
    if (!failed) {
        failed = PyDict_SetItem(self->spelled, name, number) < 0;
        id->key = SPELLED | PyLong_AsUnsignedLongLong(number);
    }
    Py_DECREF(name);
    Py_XDECREF(number);
    return failed ? -1 : 0;
}

static PyObject *name_of(Rows *self, uint64_t key) {
    if (key & SPELLED) return Py_NewRef(PyList_GET_ITEM(self->spellings, key & ~SPELLED));
    char text[11];
    size_t length = unpacked(key, text);
    return PyUnicode_FromStringAndSize(text, length);
}

// Who follows

static inline Block *block_of(uint64_t audience) { return (Block *)(uintptr_t)(audience & ~BLOCK); }

static int entries_of(uint64_t audience, const uint16_t **entries, uint16_t own[INLINE]) {
    if (audience & BLOCK) {
        *entries = block_of(audience)->entries;
        return block_of(audience)->count;
    }
    int count = 0;
    for (; audience; audience >>= ENTRY_BITS) own[count++] = audience & ENTRY_MASK;
    *entries = own;
    return count;
}

// Puts entries in place of what is there. Returns -1 without memory, and then nothing has changed.
static int set_entries(Rows *self, Row *row, const uint16_t *entries, int count) {
    int was = row->audience != 0;
    if (count > INLINE) {
        Block *block = row->audience & BLOCK ? block_of(row->audience) : NULL;
        int room = block ? block->room : 0;
        if (room < count || room > 2 * count + 8) {
            room = (count + count / 4 + 4) & ~3;
            Block *fresh = malloc(sizeof(Block) + room * sizeof(uint16_t));
            if (fresh == NULL) return PyErr_NoMemory(), -1;
            memcpy(fresh->entries, entries, count * sizeof(uint16_t));
            free(block);
            block = fresh;
            block->room = room;
        } else {
            memmove(block->entries, entries, count * sizeof(uint16_t));
        }
        block->count = count;
        row->audience = BLOCK | (uint64_t)(uintptr_t)block;
    } else {
        uint64_t audience = 0;
        for (int i = count - 1; i >= 0; i--) audience = audience << ENTRY_BITS | entries[i];
        if (row->audience & BLOCK) free(block_of(row->audience));
        row->audience = audience;
    }
    self->followed += (row->audience != 0) - was;
    return 0;
}

static int place_of(const uint16_t *entries, int count, int number) {
    for (int i = 0; i < count; i++)
        if (entries[i] >> STAMP_BITS == number + 1) return i;
    return -1;
}

// Gives an attachment's entry a stamp (0: it follows; above: it leaves), or with -1 takes it out.
// Returns the stamp that it had, or -1 when it did not follow; -2 with an exception.
static int restamp(Rows *self, Row *row, int number, int stamp) {
    uint16_t own[INLINE], fresh[NUMBERS];
    const uint16_t *entries;
    int count = entries_of(row->audience, &entries, own), at = place_of(entries, count, number);
    if (at < 0) return -1;
    int had = entries[at] & STAMP_MASK;
    if (had == stamp) return had;
    if (stamp >= 0 && row->audience & BLOCK) {
        block_of(row->audience)->entries[at] = (number + 1) << STAMP_BITS | stamp;
        return had;
    }
    int left = 0;
    for (int i = 0; i < count; i++) {
        if (i != at) fresh[left++] = entries[i];
        else if (stamp >= 0) fresh[left++] = (number + 1) << STAMP_BITS | stamp;
    }
    if (set_entries(self, row, fresh, left) < 0) return -2;
    if (stamp < 0) self->counts[number]--;
    return had;
}

static int join(Rows *self, Row *row, int number) {
    int had = restamp(self, row, number, 0);
    if (had != -1) return had == -2 ? -1 : 0;
    uint16_t own[INLINE], fresh[NUMBERS];
    const uint16_t *entries;
    int count = entries_of(row->audience, &entries, own), left = 0;
    // Those whose attachment is gone make room.
    for (int i = 0; i < count; i++)
        if (self->kinds[(entries[i] >> STAMP_BITS) - 1] == HELD) fresh[left++] = entries[i];
    fresh[left++] = (number + 1) << STAMP_BITS;
    if (set_entries(self, row, fresh, left) < 0) return -1;
    self->counts[number]++;
    return 0;
}

static int follows(Row *row, int number) {
    uint16_t own[INLINE];
    const uint16_t *entries;
    int count = entries_of(row->audience, &entries, own);
    return place_of(entries, count, number) >= 0;
}

// The table

static inline uint32_t home(const Slot *slot, uint64_t key) {
    key ^= key >> 30, key *= 0xbf58476d1ce4e5b9ull;
    key ^= key >> 27, key *= 0x94d049bb133111ebull;
    key ^= key >> 31;
    return (unsigned __int128)key * slot->capacity >> 64;
}

static Row *find(Rows *self, const Id *id) {
    Slot *slot = &self->slots[id->slot];
    if (slot->used == 0 || id->key == 0) return NULL;
    for (uint32_t at = home(slot, id->key);; at = at + 1 == slot->capacity ? 0 : at + 1) {
        if (slot->rows[at].key == id->key) return &slot->rows[at];
        if (slot->rows[at].key == 0) return NULL;
    }
}

static Row *vacant(Slot *slot, uint64_t key) {
    uint32_t at = home(slot, key);
    while (slot->rows[at].key) at = at + 1 == slot->capacity ? 0 : at + 1;
    return &slot->rows[at];
}

static int resize(Slot *slot, uint32_t capacity) {
    Slot fresh = {aligned_alloc(LINE, ((capacity * sizeof(Row) + LINE - 1) & ~(size_t)(LINE - 1))), capacity, slot->used};
    if (fresh.rows == NULL) return PyErr_NoMemory(), -1;
    memset(fresh.rows, 0, capacity * sizeof(Row));
    for (uint32_t at = 0; at < slot->capacity; at++)
        if (slot->rows[at].key) *vacant(&fresh, slot->rows[at].key) = slot->rows[at];
    free(slot->rows);
    *slot = fresh;
    return 0;
}

static void delete(Rows *self, Slot *slot, Row *row) {
    if (row->key & SPELLED) {
        Py_ssize_t number = row->key & ~SPELLED;
        PyObject *name = Py_NewRef(PyList_GET_ITEM(self->spellings, number)), *spare = PyLong_FromSsize_t(number);
        // Without memory the number is lost, and nothing else.
        if (PyDict_DelItem(self->spelled, name) < 0 || PyList_SetItem(self->spellings, number, Py_NewRef(Py_None)) < 0 ||
            spare == NULL || PyList_Append(self->unused, spare) < 0)
            PyErr_Clear();
        Py_DECREF(name);
        Py_XDECREF(spare);
    }
    if (row->audience & BLOCK) free(block_of(row->audience));
    self->followed -= row->audience != 0;
    uint32_t hole = row - slot->rows, at = hole;
    for (;;) {
        at = at + 1 == slot->capacity ? 0 : at + 1;
        if (!slot->rows[at].key) break;
        uint32_t wants = home(slot, slot->rows[at].key);
        // It may move back if its home is not between the hole and itself.
        if (hole <= at ? hole < wants && wants <= at : hole < wants || wants <= at) continue;
        slot->rows[hole] = slot->rows[at];
        hole = at;
    }
    memset(&slot->rows[hole], 0, sizeof(Row));
    slot->used--;
    self->count--;
    if (slot->used == 0) {
        free(slot->rows);
        *slot = (Slot){0};
    }
}

static inline uint64_t since(Rows *self, uint32_t slot) { return ((uint64_t *)self->since.buf)[slot]; }

static inline int is_trusted(Rows *self, uint32_t slot, const Row *row) {
    return row->flags & KNOWN && since(self, slot) <= (row->flags & BORN_MASK);
}

static int has_followers(Rows *self, const Row *row) {
    uint16_t own[INLINE];
    const uint16_t *entries;
    int count = entries_of(row->audience, &entries, own);
    for (int i = 0; i < count; i++)
        if (self->kinds[(entries[i] >> STAMP_BITS) - 1] == HELD) return 1;
    return 0;
}

// Takes out of a row those who are gone. Returns whether the row is needed no longer.
static int cleaned(Rows *self, uint32_t slot, Row *row, int even_heads) {
    uint16_t own[INLINE], fresh[NUMBERS];
    const uint16_t *entries;
    int count = entries_of(row->audience, &entries, own), left = 0;
    for (int i = 0; i < count; i++)
        if (self->kinds[(entries[i] >> STAMP_BITS) - 1] == HELD) fresh[left++] = entries[i];
    // Only ever fewer: what needs memory may be left for another time, but for numbers that will be others' soon.
    if (left < count && set_entries(self, row, fresh, left) < 0) {
        PyErr_Clear();
        Block *block = block_of(row->audience);
        memcpy(block->entries, fresh, left * sizeof(uint16_t));
        block->count = left;
    }
    if (row->audience || row->flags & ACTIVE) return 0;
    if (!is_trusted(self, slot, row)) return 1;
    self->heads_dropped += even_heads;
    return even_heads;
}

static Py_ssize_t clean_slot(Rows *self, uint32_t at, int even_heads) {
    Slot *slot = &self->slots[at];
    Py_ssize_t looked_at = 0;
    for (uint32_t i = 0; i < slot->capacity;) {
        Row *row = &slot->rows[i];
        if (row->key == 0) {
            i++;
            continue;
        }
        looked_at++;
        if (cleaned(self, at, row, even_heads))
            delete (self, slot, row);  // and what moved into its place is looked at next
        else
            i++;
    }
    if (slot->used && slot->capacity > 4 * slot->used + 8 && resize(slot, 2 * slot->used) < 0) PyErr_Clear();
    return looked_at;
}

// Makes room for one row more, if rows that nobody follows can be given up.
static int reclaim(Rows *self) {
    Py_ssize_t looked_at = 0;
    for (int i = 0; i < SLOTS && looked_at < RECLAIM_ROWS && self->count >= self->rows_max; i++) {
        looked_at += clean_slot(self, self->reclaim_hand, 1);
        self->reclaim_hand = (self->reclaim_hand + 1) % SLOTS;
    }
    return self->count < self->rows_max;
}

// A row for an id that has none; NULL without an exception when there are too many.
static Row *row_made(Rows *self, Id *id) {
    if (self->count >= self->rows_max && !reclaim(self)) return NULL;
    Slot *slot = &self->slots[id->slot];
    if (5 * (uint64_t)(slot->used + 1) > 4 * (uint64_t)slot->capacity &&
        resize(slot, slot->capacity ? slot->capacity + slot->capacity / 2 : 4) < 0)
        return NULL;
    if (id->key == 0 && id_number(self, id) < 0) return NULL;
    Row *row = vacant(slot, id->key);
    *row = (Row){.key = id->key};
    slot->used++;
    self->count++;
    return row;
}

// The row of an id, made if need be.
static Row *row_for(Rows *self, Id *id) {
    Row *row = find(self, id);
    return row != NULL ? row : row_made(self, id);
}

// Protobuf

typedef struct {
    const uint8_t *at, *end;
} Reader;

static int read_varint(Reader *in, uint64_t *number) {
    *number = 0;
    for (int shift = 0; shift < 70 && in->at < in->end; shift += 7) {
        uint8_t byte = *in->at++;
        if (shift < 64) *number |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) return 0;
    }
    return -1;
}

static int read_bytes(Reader *in, Reader *inner) {
    uint64_t length;
    if (read_varint(in, &length) < 0 || length > (uint64_t)(in->end - in->at)) return -1;
    *inner = (Reader){in->at, in->at + length};
    in->at += length;
    return 0;
}

static int skip(Reader *in, uint64_t tag) {
    uint64_t number;
    Reader inner;
    switch (tag & 7) {
    case 0: return read_varint(in, &number);
    case 1: return in->end - in->at < 8 ? -1 : (in->at += 8, 0);
    case 2: return read_bytes(in, &inner);
    case 5: return in->end - in->at < 4 ? -1 : (in->at += 4, 0);
    default: return -1;
    }
}

// A ChannelPosition: what it names, and the offset.
static int read_position(Reader in, Reader *name, uint64_t *offset) {
    *name = (Reader){in.at, in.at};
    *offset = 0;
    while (in.at < in.end) {
        uint64_t tag;
        if (read_varint(&in, &tag) < 0) return -1;
        if (tag == (1 << 3 | 2)) {
            if (read_bytes(&in, name) < 0) return -1;
        } else if (tag == (2 << 3 | 0)) {
            if (read_varint(&in, offset) < 0) return -1;
        } else if (skip(&in, tag) < 0) {
            return -1;
        }
    }
    return 0;
}

typedef struct {
    uint8_t *start, *at, *end;
} Writer;

static int room(Writer *out, size_t size) {
    if ((size_t)(out->end - out->at) >= size) return 0;
    size_t used = out->at - out->start, fresh = 2 * (used + size) + 4096;
    uint8_t *start = realloc(out->start, fresh);
    if (start == NULL) return PyErr_NoMemory(), -1;
    *out = (Writer){start, start + used, start + fresh};
    return 0;
}

static uint8_t *put_varint(uint8_t *at, uint64_t number) {
    for (; number > 0x7f; number >>= 7) *at++ = number | 0x80;
    *at++ = number;
    return at;
}

// Subscribed.unproven: { channel_id, head_offset }
static int put_unproven(Writer *out, const char *text, size_t length, uint64_t head) {
    if (room(out, length + 40) < 0) return -1;
    uint8_t body[12], *upto = body;
    if (head) *upto++ = 2 << 3 | 0, upto = put_varint(upto, head);
    uint8_t inner[4], *named = inner;
    *named++ = 1 << 3 | 2, named = put_varint(named, length);
    *out->at++ = 3 << 3 | 2;
    out->at = put_varint(out->at, (named - inner) + length + (upto - body));
    memcpy(out->at, inner, named - inner), out->at += named - inner;
    memcpy(out->at, text, length), out->at += length;
    memcpy(out->at, body, upto - body), out->at += upto - body;
    return 0;
}

// Subscribed.refused_channel_ids
static int put_refused(Writer *out, const char *text, size_t length) {
    if (room(out, length + 16) < 0) return -1;
    *out->at++ = 4 << 3 | 2;
    out->at = put_varint(out->at, length);
    memcpy(out->at, text, length), out->at += length;
    return 0;
}

static PyObject *malformed(void) {
    PyErr_SetString(PyExc_ValueError, "not what the contract says");
    return NULL;
}

// How many characters an id has; -1 when it is not UTF-8.
static Py_ssize_t characters(Reader name) {
    Py_ssize_t length = name.end - name.at;
    int is_ascii = 1;
    for (const uint8_t *c = name.at; c < name.end; c++) is_ascii &= *c < 0x80;
    if (is_ascii) return length;
    PyObject *text = PyUnicode_DecodeUTF8((const char *)name.at, length, NULL);
    if (text == NULL) {
        PyErr_Clear();
        return -1;
    }
    length = PyUnicode_GET_LENGTH(text);
    Py_DECREF(text);
    return length;
}

// Methods

static PyObject *rows_heading(Rows *self, PyObject *data) {
    char *bytes;
    Py_ssize_t size;
    if (PyBytes_AsStringAndSize(data, &bytes, &size) < 0) return NULL;
    Reader in = {(uint8_t *)bytes, (uint8_t *)bytes + size}, inner, name;
    uint64_t tag, offset, number = 0, fingerprint = 0;
    Py_ssize_t count = 0, longest = 0, shortest = ID_CHARS_MAX;
    while (in.at < in.end) {
        int failed = read_varint(&in, &tag) < 0;
        if (failed) return malformed();
        if (tag == (1 << 3 | 0)) {
            failed = read_varint(&in, &number);
        } else if (tag == (2 << 3 | 0)) {
            failed = read_varint(&in, &fingerprint);
        } else if (tag == (3 << 3 | 2)) {
            failed = read_bytes(&in, &inner) < 0 || read_position(inner, &name, &offset) < 0;
            Py_ssize_t length = failed ? -1 : characters(name);
            failed = length < 0;
            count++;
            longest = length > longest ? length : longest;
            shortest = length < shortest ? length : shortest;
        } else {
            failed = skip(&in, tag);
        }
        if (failed) return malformed();
    }
    return Py_BuildValue("(KKnnn)", number, fingerprint, count, shortest, longest);
}

static int check_number(Rows *self, int number) {
    if (number >= 0 && number < NUMBERS && self->kinds[number] == HELD) return 0;
    PyErr_SetString(PyExc_IndexError, "no attachment has that number");
    return -1;
}

typedef struct {
    Id id;
    uint64_t offset;
} Position;

// Follows one position; writes what is to be said of it, or remembers that the caller has to say it.
static int subscribe_one(Rows *self, Position *position, int number, Py_ssize_t limit, Writer *out, PyObject *active) {
    Id *id = &position->id;
    if (since(self, id->slot) == NOT_OWNED) return put_refused(out, id->text, id->length);
    // An id that was spelled for the first time by a position before this one has its number by now.
    if (id->key == 0 && id_from(self, id, id->text, id->length) < 0) return -1;
    Row *row = find(self, id);
    if (row == NULL || !follows(row, number)) {
        if (self->counts[number] >= limit) return put_refused(out, id->text, id->length);
        if (row == NULL) row = row_made(self, id);
        if (row == NULL) return PyErr_Occurred() ? -1 : put_refused(out, id->text, id->length);
    }
    if (join(self, row, number) < 0) return -1;
    if (row->flags & ACTIVE) {
        PyObject *pair = Py_BuildValue("(s#K)", id->text, (Py_ssize_t)id->length, position->offset);
        int failed = pair == NULL || PyList_Append(active, pair) < 0;
        Py_XDECREF(pair);
        return failed ? -1 : 0;
    }
    int is_known = is_trusted(self, id->slot, row);
    if (is_known && row->flags & VOUCHED && row->head == position->offset) return 0;
    return put_unproven(out, id->text, id->length, is_known ? row->head : 0);
}

// Follows some positions. Millions of rows are in no cache: those of a group are asked for before they are needed.
static int subscribe_group(Rows *self, Position *group, int count, int number, Py_ssize_t limit, Writer *out,
                           PyObject *active) {
    for (int i = 0; i < count; i++) {
        Slot *slot = &self->slots[group[i].id.slot];
        if (slot->used) __builtin_prefetch(&slot->rows[home(slot, group[i].id.key)]);
    }
    for (int i = 0; i < count; i++)
        if (subscribe_one(self, &group[i], number, limit, out, active) < 0) return -1;
    return 0;
}

static PyObject *rows_subscribe(Rows *self, PyObject *const *args, Py_ssize_t nargs) {
    char *bytes;
    Py_ssize_t size;
    if (nargs != 4) return PyErr_SetString(PyExc_TypeError, "subscribe(data, number, limit, is_refused)"), NULL;
    if (PyBytes_AsStringAndSize(args[0], &bytes, &size) < 0) return NULL;
    int number = (int)PyLong_AsLong(args[1]), is_refused = PyObject_IsTrue(args[3]);
    Py_ssize_t limit = PyLong_AsSsize_t(args[2]);
    if (PyErr_Occurred() || check_number(self, number) < 0) return NULL;
    Reader in = {(uint8_t *)bytes, (uint8_t *)bytes + size}, inner, name;
    Writer out = {0};
    Position group[GROUP];
    int count = 0;
    uint64_t tag, offset;
    PyObject *active = PyList_New(0), *made = NULL;
    if (active == NULL) return NULL;
    while (in.at < in.end) {
        if (read_varint(&in, &tag) < 0) goto broken;
        if (tag != (3 << 3 | 2)) {
            if (skip(&in, tag) < 0) goto broken;
            continue;
        }
        if (read_bytes(&in, &inner) < 0 || read_position(inner, &name, &offset) < 0) goto broken;
        const char *text = (const char *)name.at;
        if (is_refused) {
            if (put_refused(&out, text, name.end - name.at) < 0) goto done;
            continue;
        }
        if (id_from(self, &group[count].id, text, name.end - name.at) < 0) goto done;
        group[count].offset = offset;
        __builtin_prefetch(&self->slots[group[count].id.slot]);
        if (++count < GROUP) continue;
        if (subscribe_group(self, group, count, number, limit, &out, active) < 0) goto done;
        count = 0;
    }
    if (subscribe_group(self, group, count, number, limit, &out, active) < 0) goto done;
    made = Py_BuildValue("(y#O)", out.start ? (char *)out.start : "", (Py_ssize_t)(out.at - out.start), active);
    goto done;
broken:
    malformed();
done:
    free(out.start);
    Py_DECREF(active);
    return made;
}

static PyObject *rows_leave(Rows *self, PyObject *args) {
    const char *bytes;
    Py_ssize_t size;
    int number, stamp;
    if (!PyArg_ParseTuple(args, "y#ii", &bytes, &size, &number, &stamp) || check_number(self, number) < 0) return NULL;
    Reader in = {(uint8_t *)bytes, (uint8_t *)bytes + size}, name;
    Writer out = {0};
    uint64_t tag;
    while (in.at < in.end) {
        Id id;
        if (read_varint(&in, &tag) < 0 || (tag != (1 << 3 | 2) && skip(&in, tag) < 0)) goto broken;
        if (tag != (1 << 3 | 2)) continue;
        if (read_bytes(&in, &name) < 0 || characters(name) < 0) goto broken;
        if (id_from(self, &id, (const char *)name.at, name.end - name.at) < 0) goto failed;
        Row *row = find(self, &id);
        uint16_t own[INLINE];
        const uint16_t *entries;
        int count = row ? entries_of(row->audience, &entries, own) : 0, at = place_of(entries, count, number);
        // One that is leaving already has its time.
        if (at < 0 || entries[at] & STAMP_MASK) continue;
        if (restamp(self, row, number, stamp) == -2 || room(&out, 12) < 0) goto failed;
        memcpy(out.at, &id.slot, 4), memcpy(out.at + 4, &id.key, 8), out.at += 12;
    }
    PyObject *made = PyBytes_FromStringAndSize((char *)out.start, out.at - out.start);
    free(out.start);
    return made;
broken:
    malformed();
failed:
    free(out.start);
    return NULL;
}

static PyObject *rows_let_go(Rows *self, PyObject *args) {
    const char *left;
    Py_ssize_t size;
    int number, stamp;
    if (!PyArg_ParseTuple(args, "y#ii", &left, &size, &number, &stamp) || check_number(self, number) < 0) return NULL;
    for (Py_ssize_t at = 0; at + 12 <= size; at += 12) {
        Id id = {0};
        memcpy(&id.slot, left + at, 4), memcpy(&id.key, left + at + 4, 8);
        if (id.slot >= SLOTS) return malformed();
        Row *row = find(self, &id);
        uint16_t own[INLINE];
        const uint16_t *entries;
        int count = row ? entries_of(row->audience, &entries, own) : 0, place = place_of(entries, count, number);
        if (place < 0 || (entries[place] & STAMP_MASK) != stamp) continue;
        if (restamp(self, row, number, -1) == -2) return NULL;
        if (!row->audience && !(row->flags & ACTIVE) && !is_trusted(self, id.slot, row))
            delete (self, &self->slots[id.slot], row);
    }
    Py_RETURN_NONE;
}

static PyObject *rows_followers(Rows *self, PyObject *name) {
    Id id;
    if (id_from_object(self, &id, name) < 0) return NULL;
    Row *row = find(self, &id);
    if (row == NULL || !row->audience) return PyTuple_New(0);
    uint16_t own[INLINE];
    const uint16_t *entries;
    int count = entries_of(row->audience, &entries, own), live = 0;
    for (int i = 0; i < count; i++) live += self->kinds[(entries[i] >> STAMP_BITS) - 1] == HELD;
    PyObject *made = PyTuple_New(live);
    if (made == NULL) return NULL;
    for (int i = 0, at = 0; i < count; i++) {
        int number = (entries[i] >> STAMP_BITS) - 1;
        if (self->kinds[number] == HELD) PyTuple_SET_ITEM(made, at++, Py_NewRef(self->members[number]));
    }
    return made;
}

static PyObject *rows_add(Rows *self, PyObject *member) {
    for (int number = 0; number < NUMBERS; number++) {
        if (self->kinds[number] != FREE) continue;
        self->kinds[number] = HELD;
        self->members[number] = Py_NewRef(member);
        self->counts[number] = 0;
        return PyLong_FromLong(number);
    }
    PyErr_SetString(PyExc_IndexError, "every number is taken");
    return NULL;
}

static PyObject *rows_drop(Rows *self, PyObject *which) {
    int number = (int)PyLong_AsLong(which);
    if (PyErr_Occurred() || check_number(self, number) < 0) return NULL;
    if (self->counts[number]) {
        self->kinds[number] = RETIRED;
        self->wants_sweep = 1;
    } else {
        self->kinds[number] = FREE;
    }
    self->counts[number] = 0;
    Py_CLEAR(self->members[number]);
    Py_RETURN_NONE;
}

static PyObject *rows_count(Rows *self, PyObject *which) {
    int number = (int)PyLong_AsLong(which);
    if (PyErr_Occurred() || check_number(self, number) < 0) return NULL;
    return PyLong_FromSsize_t(self->counts[number]);
}

static PyObject *rows_activate(Rows *self, PyObject *name) {
    Id id;
    if (id_from_object(self, &id, name) < 0) return NULL;
    Row *row = row_for(self, &id);
    if (row == NULL) {
        if (PyErr_Occurred()) return NULL;
        Py_RETURN_NONE;
    }
    int was_trusted = is_trusted(self, id.slot, row);
    uint32_t flags = row->flags;
    row->flags = ACTIVE;
    if (!was_trusted) Py_RETURN_NONE;
    return Py_BuildValue("(KKIO)", row->head + 1 - row->run, row->head, flags & BORN_MASK,
                         flags & VOUCHED ? Py_True : Py_False);
}

static PyObject *rows_settle(Rows *self, PyObject *args) {
    PyObject *name;
    unsigned long long low, head;
    unsigned int born;
    int is_vouched;
    Id id;
    if (!PyArg_ParseTuple(args, "UKKIp", &name, &low, &head, &born, &is_vouched)) return NULL;
    if (id_from_object(self, &id, name) < 0) return NULL;
    Row *row = row_for(self, &id);
    if (row == NULL && PyErr_Occurred()) return NULL;
    if (row == NULL) Py_RETURN_FALSE;
    uint64_t run = head + 1 - low;
    row->head = head;
    row->run = run > UINT32_MAX ? UINT32_MAX : run;
    row->flags = KNOWN | (is_vouched ? VOUCHED : 0) | (born & BORN_MASK);
    Py_RETURN_TRUE;
}

static PyObject *rows_forget(Rows *self, PyObject *name) {
    Id id;
    if (id_from_object(self, &id, name) < 0) return NULL;
    Row *row = find(self, &id);
    if (row != NULL) {
        row->flags = 0;
        if (!has_followers(self, row)) delete (self, &self->slots[id.slot], row);
    }
    Py_RETURN_NONE;
}

static PyObject *rows_standing(Rows *self, PyObject *which) {
    long at = PyLong_AsLong(which);
    if (PyErr_Occurred()) return NULL;
    if (at < 0 || at >= SLOTS) return PyErr_SetString(PyExc_IndexError, "no such slot"), NULL;
    Slot *slot = &self->slots[at];
    PyObject *found = PyList_New(0);
    for (uint32_t i = 0; found != NULL && i < slot->capacity; i++) {
        Row *row = &slot->rows[i];
        if (!row->key || !row->audience) continue;
        int is_known = is_trusted(self, at, row);
        if (is_known && row->flags & VOUCHED) continue;
        uint16_t own[INLINE];
        const uint16_t *entries;
        int count = entries_of(row->audience, &entries, own);
        PyObject *name = NULL;
        for (int j = 0; j < count; j++) {
            int number = (entries[j] >> STAMP_BITS) - 1;
            if (self->kinds[number] != HELD || entries[j] & STAMP_MASK) continue;
            if (name == NULL) name = name_of(self, row->key);
            PyObject *each = name ? Py_BuildValue("(OOKO)", self->members[number], name, is_known ? row->head : 0ull,
                                                  row->flags & ACTIVE ? Py_True : Py_False)
                                  : NULL;
            if (each == NULL || PyList_Append(found, each) < 0) Py_CLEAR(found);
            Py_XDECREF(each);
            if (found == NULL) break;
        }
        Py_XDECREF(name);
    }
    return found == NULL ? NULL : Py_BuildValue("(nN)", (Py_ssize_t)slot->used, found);
}

static PyObject *rows_sweep(Rows *self, PyObject *how_many) {
    Py_ssize_t left = PyLong_AsSsize_t(how_many);
    if (PyErr_Occurred()) return NULL;
    while (left > 0) {
        if (self->sweep_left == 0) {
            if (!self->wants_sweep) break;
            self->wants_sweep = 0;
            self->sweep_left = SLOTS;
            for (int number = 0; number < NUMBERS; number++)
                if (self->kinds[number] == RETIRED) self->kinds[number] = SWEPT;
        }
        left -= 1 + clean_slot(self, self->hand, 0);
        self->hand = (self->hand + 1) % SLOTS;
        if (--self->sweep_left == 0)
            for (int number = 0; number < NUMBERS; number++)
                if (self->kinds[number] == SWEPT) self->kinds[number] = FREE;
    }
    return PyBool_FromLong(self->sweep_left || self->wants_sweep);
}

static PyObject *rows_want_sweep(Rows *self, PyObject *unused) {
    self->wants_sweep = 1;
    Py_RETURN_NONE;
}

static Py_ssize_t rows_length(Rows *self) { return self->count; }

static PyObject *rows_new(PyTypeObject *type, PyObject *args, PyObject *kwargs) {
    PyObject *since;
    Py_ssize_t rows_max;
    if (!PyArg_ParseTuple(args, "On", &since, &rows_max)) return NULL;
    Rows *self = (Rows *)type->tp_alloc(type, 0);
    if (self == NULL) return NULL;
    self->rows_max = rows_max;
    self->slots = calloc(SLOTS, sizeof(Slot));
    self->spelled = PyDict_New();
    self->spellings = PyList_New(0);
    self->unused = PyList_New(0);
    int failed = !self->spelled || !self->spellings || !self->unused;
    if (!failed && self->slots == NULL) PyErr_NoMemory(), failed = 1;
    if (!failed && PyObject_GetBuffer(since, &self->since, PyBUF_SIMPLE) < 0) failed = 1;
    if (!failed && self->since.len != SLOTS * (Py_ssize_t)sizeof(uint64_t))
        PyErr_SetString(PyExc_ValueError, "a generation of 8 bytes for each slot"), failed = 1;
    if (failed) Py_CLEAR(self);
    return (PyObject *)self;
}

static int rows_traverse(Rows *self, visitproc visit, void *arg) {
    for (int number = 0; number < NUMBERS; number++) Py_VISIT(self->members[number]);
    Py_VISIT(self->spelled);
    Py_VISIT(self->spellings);
    Py_VISIT(self->unused);
    return 0;
}

static int rows_clear(Rows *self) {
    for (int number = 0; number < NUMBERS; number++) Py_CLEAR(self->members[number]);
    return 0;
}

static void rows_dealloc(Rows *self) {
    PyObject_GC_UnTrack(self);
    rows_clear(self);
    for (int at = 0; self->slots != NULL && at < SLOTS; at++) {
        for (uint32_t i = 0; i < self->slots[at].capacity; i++)
            if (self->slots[at].rows[i].audience & BLOCK) free(block_of(self->slots[at].rows[i].audience));
        free(self->slots[at].rows);
    }
    free(self->slots);
    Py_CLEAR(self->spelled);
    Py_CLEAR(self->spellings);
    Py_CLEAR(self->unused);
    if (self->since.obj) PyBuffer_Release(&self->since);
    Py_TYPE(self)->tp_free((PyObject *)self);
}

static PyMethodDef rows_methods[] = {
    {"add", (PyCFunction)rows_add, METH_O, "Give an attachment a number."},
    {"drop", (PyCFunction)rows_drop, METH_O, "Forget an attachment."},
    {"count", (PyCFunction)rows_count, METH_O, "How many channels it follows."},
    {"heading", (PyCFunction)rows_heading, METH_O, "What a Subscribe says beside its positions."},
    {"subscribe", (PyCFunction)(void (*)(void))rows_subscribe, METH_FASTCALL, "Follow the channels of a Subscribe."},
    {"leave", (PyCFunction)rows_leave, METH_VARARGS, "Begin to leave the channels of an Unsubscribe."},
    {"let_go", (PyCFunction)rows_let_go, METH_VARARGS, "End what is still being left."},
    {"followers", (PyCFunction)rows_followers, METH_O, "Who follows a channel."},
    {"activate", (PyCFunction)rows_activate, METH_O, "Let the caller keep a channel's state from now on."},
    {"settle", (PyCFunction)rows_settle, METH_VARARGS, "Keep a channel's run again."},
    {"forget", (PyCFunction)rows_forget, METH_O, "Forget a channel's run."},
    {"standing", (PyCFunction)rows_standing, METH_O, "Subscriptions in a slot that nobody vouches for."},
    {"want_sweep", (PyCFunction)rows_want_sweep, METH_NOARGS, "Have every row looked at."},
    {"sweep", (PyCFunction)rows_sweep, METH_O, "Look at so many rows."},
    {NULL},
};

static PyMemberDef rows_members[] = {
    {"followed", T_PYSSIZET, offsetof(Rows, followed), READONLY, "Rows that somebody follows, or did until lately."},
    {"heads_dropped", T_ULONGLONG, offsetof(Rows, heads_dropped), READONLY, "Trusted runs given up for want of room."},
    {NULL},
};

static PySequenceMethods rows_sequence = {.sq_length = (lenfunc)rows_length};

static PyTypeObject RowsType = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "svc.channel.rows._rows.Rows",
    .tp_doc = "The rows of all channels.",
    .tp_basicsize = sizeof(Rows),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_new = rows_new,
    .tp_dealloc = (destructor)rows_dealloc,
    .tp_traverse = (traverseproc)rows_traverse,
    .tp_clear = (inquiry)rows_clear,
    .tp_methods = rows_methods,
    .tp_members = rows_members,
    .tp_as_sequence = &rows_sequence,
};

static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "_rows", "The rows of a channel server, in C.", -1, NULL};

PyMODINIT_FUNC PyInit__rows(void) {
    if (PyType_Ready(&RowsType) < 0) return NULL;
    PyObject *made = PyModule_Create(&module);
    if (made != NULL && PyModule_AddObjectRef(made, "Rows", (PyObject *)&RowsType) < 0) Py_CLEAR(made);
    return made;
}
