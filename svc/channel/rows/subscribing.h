// What comes as a message: positions that are followed, many at a time, and what is said of each.

#pragma once

#include "table.h"
#include "wire.h"

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
