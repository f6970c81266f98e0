// What rows are made of, and what a table of them has.

#pragma once

#include <Python.h>
#include <stdint.h>

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
