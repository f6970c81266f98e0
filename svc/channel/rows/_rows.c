// The rows of a channel server: plain.py in C, where a compiler was when Parley was set up. That file says what each
// call means; here is how sixteen million of them are kept in a gigabyte.
//
// A row is 32 bytes. Rows of one slot of the ring lie together in an open-addressed table (linear probing, deletion by
// shifting back), which grows by half: no growth moves more than one slot's rows, so the server never stops for
// one. An id is packed into 58 bits, reversibly; the few that do not fit are kept as strings and the key is their
// number. Who follows is kept in the row up to four, beyond that in a block of its own, 2 bytes each.
//
// One translation unit: the headers beside this file hold its parts, and this one what Python calls.

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>
#include <structmember.h>

#include "subscribing.h"
#include "table.h"

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
