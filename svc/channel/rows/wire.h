// Protobuf: what is read of a message and written into an answer, without objects between.

#pragma once

#include "layout.h"

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
