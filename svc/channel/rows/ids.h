// Ids: 58 bits where they fit, else the number of a string that is kept.

#pragma once

#include "layout.h"
#include "slots.h"

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
