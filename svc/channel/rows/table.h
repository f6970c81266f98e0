// The tables of slots: rows are found, made, moved when one grows, and given up when they say nothing any more.

#pragma once

#include "audience.h"
#include "ids.h"
#include "layout.h"

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
