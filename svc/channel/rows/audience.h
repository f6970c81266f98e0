// Who follows a row: numbers of attachments, each with its stamp.

#pragma once

#include "layout.h"

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
