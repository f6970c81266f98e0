/* The fan-out loop: frames are put on lines, and all lines with something on them are written in one call.
 *
 * A line is one socket's output. `Outbox.push_all` appends one encoded frame (shared, never copied) to the lines of all
 * members of a channel; `Outbox.flush` joins what is pending on each line and sends it, with the GIL released, one
 * send(2) a line. Whatever is not the plain case (a line that is held, closing, too slow, whose transport still has
 * bytes, or whose socket takes only a part) is handed to the connection in Python, so that there is one place which
 * knows about those. svc/gateway/fanout/lines.py is the same in Python, and says what each call means.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <structmember.h>

#include <errno.h>
#include <stdint.h>
#include <sys/socket.h>

/* Lines whose bytes are sent in one stretch without the GIL: at 5 us each that is 1.3 ms. */
#define STRETCH 256
/* A line that held more than so many frames at once gives their room back. */
#define FRAMES_KEPT 8
/* Frames for which a line has room of its own: one event at a time is the usual case, and needs no look elsewhere. */
#define FRAMES_NEAR 2
/* Thousands of connections are more than the caches hold after a thousand sends: what is needed soon is asked for now. */
#define AHEAD 8
#define SOON(address) __builtin_prefetch(address)
/* Members whose lines are looked up together. */
#define MEMBERS 64

typedef struct {
    PyObject_HEAD
    PyObject *owner; /* the connection; has write_rest(bytes) and flush() */
    int fd;
    char is_direct; /* may be written to without asking the owner */
    char is_open;
    char is_dirty;     /* is among those to be flushed */
    PyObject **frames; /* pending, owned; NULL: they are in `near` */
    Py_ssize_t count, capacity, bytes;
    PyObject *near[FRAMES_NEAR];
} Line;

typedef struct {
    PyObject_HEAD
    PyObject *schedule; /* called when the first line becomes dirty */
    Line **dirty;       /* owned */
    Py_ssize_t count, capacity;
    Py_ssize_t bytes_max;
    unsigned long long bytes_out, writes;
    PyObject *line_name;
} Outbox;

static PyTypeObject LineType, OutboxType;

/* ---- lines */

static PyObject **frames_of(const Line *self) { return self->frames ? self->frames : (PyObject **)self->near; }

static void line_drop(Line *self) {
    PyObject **frames = frames_of(self);
    Py_ssize_t count = self->count;
    self->count = 0;
    self->bytes = 0;
    for (Py_ssize_t i = 0; i < count; i++) Py_DECREF(frames[i]);
    if (self->capacity > FRAMES_KEPT) {
        PyMem_Free(self->frames);
        self->frames = NULL;
        self->capacity = FRAMES_NEAR;
    }
}

static int line_grow(Line *self) {
    Py_ssize_t capacity = self->capacity * 2;
    PyObject **frames = PyMem_Realloc(self->frames, capacity * sizeof(PyObject *));
    if (frames == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    if (self->frames == NULL) memcpy(frames, self->near, sizeof self->near);
    self->frames = frames;
    self->capacity = capacity;
    return 0;
}

static int line_append(Line *self, PyObject *frame) {
    if (self->count == self->capacity && line_grow(self) < 0) return -1;
    frames_of(self)[self->count++] = Py_NewRef(frame);
    self->bytes += PyBytes_GET_SIZE(frame);
    return 0;
}

static PyObject *line_new(PyTypeObject *type, PyObject *args, PyObject *kwargs) {
    PyObject *owner;
    if (!PyArg_ParseTuple(args, "O", &owner)) return NULL;
    Line *self = (Line *)type->tp_alloc(type, 0);
    if (self == NULL) return NULL;
    self->owner = Py_NewRef(owner);
    self->fd = -1;
    self->capacity = FRAMES_NEAR;
    self->is_open = 1;
    return (PyObject *)self;
}

static int line_traverse(Line *self, visitproc visit, void *arg) {
    Py_VISIT(self->owner);
    return 0;
}

static int line_clear(Line *self) {
    Py_CLEAR(self->owner);
    return 0;
}

static void line_dealloc(Line *self) {
    PyObject_GC_UnTrack(self);
    line_drop(self);
    PyMem_Free(self->frames);
    Py_CLEAR(self->owner);
    Py_TYPE(self)->tp_free((PyObject *)self);
}

static PyObject *line_take(Line *self, PyObject *Py_UNUSED(ignored)) {
    PyObject *list = PyList_New(self->count);
    if (list == NULL) return NULL;
    for (Py_ssize_t i = 0; i < self->count; i++) PyList_SET_ITEM(list, i, Py_NewRef(frames_of(self)[i]));
    line_drop(self);
    return list;
}

static PyObject *line_open_to(Line *self, PyObject *fd) {
    long number = PyLong_AsLong(fd);
    if (number == -1 && PyErr_Occurred()) return NULL;
    self->fd = (int)number;
    self->is_direct = number >= 0;
    Py_RETURN_NONE;
}

static PyObject *line_close(Line *self, PyObject *Py_UNUSED(ignored)) {
    self->is_open = 0;
    self->is_direct = 0;
    self->fd = -1;
    line_drop(self);
    Py_RETURN_NONE;
}

static PyObject *line_ended(Line *self, PyObject *Py_UNUSED(ignored)) {
    line_close(self, NULL);
    Py_CLEAR(self->owner);
    Py_RETURN_NONE;
}

static PyMethodDef line_methods[] = {
    {"take", (PyCFunction)line_take, METH_NOARGS, "Return what is pending, and hold it no longer."},
    {"open_to", (PyCFunction)line_open_to, METH_O, "Let the descriptor be written to; below 0: only by the owner."},
    {"close", (PyCFunction)line_close, METH_NOARGS, "Drop what is pending, and take nothing any more."},
    {"ended", (PyCFunction)line_ended, METH_NOARGS, "Close, and forget the owner."},
    {NULL},
};

static PyMemberDef line_members[] = {
    {"is_direct", T_BOOL, offsetof(Line, is_direct), 0, "Whether flushing may write without asking the owner."},
    {"is_open", T_BOOL, offsetof(Line, is_open), READONLY, "Whether frames are taken."},
    {"pending_bytes", T_PYSSIZET, offsetof(Line, bytes), READONLY, "Bytes that wait for the next flush."},
    {NULL},
};

static PyTypeObject LineType = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "svc.gateway.fanout._fanout.Line",
    .tp_doc = "One socket's output.",
    .tp_basicsize = sizeof(Line),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_new = line_new,
    .tp_dealloc = (destructor)line_dealloc,
    .tp_traverse = (traverseproc)line_traverse,
    .tp_clear = (inquiry)line_clear,
    .tp_methods = line_methods,
    .tp_members = line_members,
};

/* ---- the outbox: pushing */

static int outbox_mark(Outbox *self, Line *line) {
    if (line->is_dirty) return 0;
    if (self->count == self->capacity) {
        Py_ssize_t capacity = self->capacity ? self->capacity * 2 : 64;
        Line **dirty = PyMem_Realloc(self->dirty, capacity * sizeof(Line *));
        if (dirty == NULL) {
            PyErr_NoMemory();
            return -1;
        }
        self->dirty = dirty;
        self->capacity = capacity;
    }
    line->is_dirty = 1;
    self->dirty[self->count++] = (Line *)Py_NewRef(line);
    if (self->count > 1) return 0;
    PyObject *done = PyObject_CallNoArgs(self->schedule);
    Py_XDECREF(done);
    return done == NULL ? -1 : 0;
}

static int outbox_put(Outbox *self, PyObject *line, PyObject *frame) {
    if (!PyObject_TypeCheck(line, &LineType)) {
        PyErr_Format(PyExc_TypeError, "a line is a Line, not %.100s", Py_TYPE(line)->tp_name);
        return -1;
    }
    Line *each = (Line *)line;
    if (!each->is_open) return 0;
    if (line_append(each, frame) < 0 || outbox_mark(self, each) < 0) return -1;
    return 1;
}

static PyObject *outbox_push(Outbox *self, PyObject *const *args, Py_ssize_t count) {
    if (count != 2 || !PyBytes_Check(args[1])) {
        PyErr_SetString(PyExc_TypeError, "push(line, frame: bytes)");
        return NULL;
    }
    if (outbox_put(self, args[0], args[1]) < 0) return NULL;
    Py_RETURN_NONE;
}

static PyObject *outbox_wake(Outbox *self, PyObject *line) {
    if (!PyObject_TypeCheck(line, &LineType)) {
        PyErr_SetString(PyExc_TypeError, "wake(line: Line)");
        return NULL;
    }
    if (((Line *)line)->is_open && outbox_mark(self, (Line *)line) < 0) return NULL;
    Py_RETURN_NONE;
}

/* Return where objects of a type keep `line`, if it is one of their slots; else -1, and it must be asked for. */
static Py_ssize_t line_place(Outbox *self, PyTypeObject *type) {
    PyObject *found = PyObject_GetAttr((PyObject *)type, self->line_name);
    Py_ssize_t place = -1;
    if (found == NULL)
        PyErr_Clear();
    else if (Py_IS_TYPE(found, &PyMemberDescr_Type) && PyType_IsSubtype(type, PyDescr_TYPE(found))) {
        const PyMemberDef *member = ((PyMemberDescrObject *)found)->d_member;
        if (member->type == T_OBJECT_EX) place = member->offset;
    }
    Py_XDECREF(found);
    return place;
}

static PyObject **slot(PyObject *member, Py_ssize_t place) { return (PyObject **)((char *)member + place); }

/* Put a frame on the lines of a handful of members: all of them are looked at twice, so that their memory is near when
 * it is used. Return how many took it; -1 with an exception. */
static int push_some(Outbox *self, PyObject **members, int count, PyObject *frame, PyObject *but) {
    PyTypeObject *type = Py_TYPE(members[0]);
    Py_ssize_t place = line_place(self, type);
    int pushed = 0;
    for (int i = 0; place >= 0 && i < count; i++) SOON(slot(members[i], place));
    for (int i = 0; place >= 0 && i < count; i++)
        if (Py_IS_TYPE(members[i], type)) SOON(*slot(members[i], place));
    for (int i = 0; i < count; i++) {
        if (members[i] == but) continue;
        int is_near = place >= 0 && Py_IS_TYPE(members[i], type) && *slot(members[i], place) != NULL;
        PyObject *line = is_near ? Py_NewRef(*slot(members[i], place)) : PyObject_GetAttr(members[i], self->line_name);
        int put = line == NULL ? -1 : outbox_put(self, line, frame);
        Py_XDECREF(line);
        if (put < 0) return -1;
        pushed += put;
    }
    return pushed;
}

static PyObject *outbox_push_all(Outbox *self, PyObject *const *args, Py_ssize_t count) {
    if (count != 3 || !PyBytes_Check(args[1])) {
        PyErr_SetString(PyExc_TypeError, "push_all(members, frame: bytes, but)");
        return NULL;
    }
    PyObject *iterator = PyObject_GetIter(args[0]), *members[MEMBERS];
    if (iterator == NULL) return NULL;
    Py_ssize_t pushed = 0;
    int some = MEMBERS, put = 0;
    while (put >= 0 && some == MEMBERS) {
        for (some = 0; some < MEMBERS && (members[some] = PyIter_Next(iterator)) != NULL;) some++;
        put = PyErr_Occurred() ? -1 : some ? push_some(self, members, some, args[1], args[2]) : 0;
        for (int i = 0; i < some; i++) Py_DECREF(members[i]);
        if (put > 0) pushed += put;
    }
    Py_DECREF(iterator);
    if (put < 0) return NULL;
    return PyLong_FromSsize_t(pushed);
}

/* ---- the outbox: flushing */

/* What one line gets in a stretch. */
typedef struct {
    Line *line; /* owned */
    const char *bytes;
    Py_ssize_t size, sent;
    int fd;
} Job;

/* Joined frames; lines that lie beside each other mostly have the very same ones, and share a buffer. */
typedef struct {
    PyObject *joined[STRETCH]; /* owned */
    int count;
} Buffers;

static int same_frames(const Line *one, const Line *other) {
    return one->count == other->count && one->bytes == other->bytes &&
           memcmp(frames_of(one), frames_of(other), one->count * sizeof(PyObject *)) == 0;
}

static const char *join(const Line *line, Buffers *buffers) {
    PyObject *joined, **frames = frames_of(line);
    if (line->count == 1) {
        joined = Py_NewRef(frames[0]);
    } else {
        joined = PyBytes_FromStringAndSize(NULL, line->bytes);
        if (joined == NULL) return NULL;
        char *at = PyBytes_AS_STRING(joined);
        for (Py_ssize_t i = 0; i < line->count; i++) {
            Py_ssize_t size = PyBytes_GET_SIZE(frames[i]);
            memcpy(at, PyBytes_AS_STRING(frames[i]), size);
            at += size;
        }
    }
    buffers->joined[buffers->count++] = joined;
    return PyBytes_AS_STRING(joined);
}

static void send_all(Job *jobs, int count) {
    for (int i = 0; i < count; i++) {
        ssize_t sent;
        do {
            sent = send(jobs[i].fd, jobs[i].bytes, jobs[i].size, MSG_DONTWAIT | MSG_NOSIGNAL);
        } while (sent < 0 && errno == EINTR);
        jobs[i].sent = sent < 0 ? 0 : sent;
    }
}

/* The owner does what is not plain; what it raises is reported, and ends nobody else's flush. */
static void ask_owner(Line *line, const char *name, PyObject *argument) {
    if (line->owner == NULL) return;
    PyObject *owner = Py_NewRef(line->owner);
    PyObject *method = PyUnicode_FromString(name), *done = NULL;
    if (method != NULL)
        done = argument ? PyObject_CallMethodOneArg(owner, method, argument) : PyObject_CallMethodNoArgs(owner, method);
    if (done == NULL) PyErr_WriteUnraisable(owner);
    Py_XDECREF(done);
    Py_XDECREF(method);
    Py_DECREF(owner);
}

static void settle(Outbox *self, Job *job) {
    self->writes++;
    self->bytes_out += job->sent;
    if (job->sent == job->size) return;
    job->line->is_direct = 0;
    /* Also after an error: the transport meets the same one, and ends the connection as it always does. */
    PyObject *rest = PyBytes_FromStringAndSize(job->bytes + job->sent, job->size - job->sent);
    if (rest == NULL) {
        PyErr_WriteUnraisable((PyObject *)job->line);
        return;
    }
    ask_owner(job->line, "write_rest", rest);
    Py_DECREF(rest);
}

/* Let the owners of lines that are not plain write them. Owners may push, close and hold whatever they like, so nothing
 * is kept of any line meanwhile. */
static void ask_owners(Outbox *self, Line **lines, Py_ssize_t count) {
    for (Py_ssize_t i = 0; i < count; i++) {
        Line *line = lines[i];
        if (i + AHEAD < count) SOON(lines[i + AHEAD]);
        line->is_dirty = 0;
        if (line->is_open && (!line->is_direct || line->bytes > self->bytes_max)) ask_owner(line, "flush", NULL);
    }
}

/* Make jobs of the plain lines; runs no Python, so that a job and its line agree until they are settled. */
static int make_jobs(Outbox *self, Line **lines, Py_ssize_t count, Job *jobs, Buffers *buffers) {
    const Line *last = NULL;
    const char *bytes = NULL;
    int made = 0;
    for (Py_ssize_t i = 0; i < count; i++) {
        Line *line = lines[i];
        if (!line->is_open || !line->is_direct || line->count == 0 || line->bytes > self->bytes_max) continue;
        if (last == NULL || !same_frames(last, line)) {
            bytes = join(line, buffers);
            if (bytes == NULL) return -1;
        }
        last = line;
        jobs[made++] = (Job){.line = line, .bytes = bytes, .size = line->bytes, .fd = line->fd};
    }
    return made;
}

static int flush_stretch(Outbox *self, Line **lines, Py_ssize_t count) {
    Job jobs[STRETCH];
    Buffers buffers = {.count = 0};
    ask_owners(self, lines, count);
    int made = make_jobs(self, lines, count, jobs, &buffers);
    Py_BEGIN_ALLOW_THREADS
    send_all(jobs, made);
    Py_END_ALLOW_THREADS
    for (int i = 0; i < made; i++) {
        if (i + AHEAD < made) SOON(jobs[i + AHEAD].line);
        line_drop(jobs[i].line);
    }
    for (int i = 0; i < made; i++) settle(self, &jobs[i]);
    for (int i = 0; i < buffers.count; i++) Py_DECREF(buffers.joined[i]);
    return made < 0 ? -1 : 0;
}

/* Put what was not reached before what came meanwhile. */
static int outbox_put_back(Outbox *self, Line **lines, Py_ssize_t count) {
    if (count == 0) return 0;
    Py_ssize_t capacity = count + self->count;
    Line **dirty = PyMem_Malloc(capacity * sizeof(Line *));
    if (dirty == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    memcpy(dirty, lines, count * sizeof(Line *));
    for (Py_ssize_t i = 0; i < count; i++) lines[i]->is_dirty = 1;
    memcpy(dirty + count, self->dirty, self->count * sizeof(Line *));
    int was_scheduled = self->count > 0;
    PyMem_Free(self->dirty);
    self->dirty = dirty;
    self->count = self->capacity = capacity;
    if (was_scheduled) return 0;
    PyObject *done = PyObject_CallNoArgs(self->schedule);
    Py_XDECREF(done);
    return done == NULL ? -1 : 0;
}

static PyObject *outbox_flush(Outbox *self, PyObject *most) {
    Py_ssize_t limit = PyLong_AsSsize_t(most);
    if (limit == -1 && PyErr_Occurred()) return NULL;
    Line **lines = self->dirty;
    Py_ssize_t count = self->count, done = 0;
    self->dirty = NULL;
    self->count = self->capacity = 0;
    if (limit < 1 || limit > count) limit = count;
    int failed = 0;
    while (done < limit && !failed) {
        Py_ssize_t stretch = limit - done < STRETCH ? limit - done : STRETCH;
        failed = flush_stretch(self, lines + done, stretch) < 0;
        if (!failed) done += stretch;
    }
    for (Py_ssize_t i = 0; i < done; i++) Py_DECREF(lines[i]);
    if (outbox_put_back(self, lines + done, count - done) < 0) failed = 1;
    PyMem_Free(lines);
    if (failed) return NULL;
    Py_RETURN_NONE;
}

/* ---- the outbox: the type */

static PyObject *outbox_new(PyTypeObject *type, PyObject *args, PyObject *kwargs) {
    PyObject *schedule;
    Py_ssize_t bytes_max;
    if (!PyArg_ParseTuple(args, "On", &schedule, &bytes_max)) return NULL;
    Outbox *self = (Outbox *)type->tp_alloc(type, 0);
    if (self == NULL) return NULL;
    self->schedule = Py_NewRef(schedule);
    self->bytes_max = bytes_max;
    self->line_name = PyUnicode_InternFromString("line");
    if (self->line_name == NULL) {
        Py_DECREF(self);
        return NULL;
    }
    return (PyObject *)self;
}

static int outbox_traverse(Outbox *self, visitproc visit, void *arg) {
    Py_VISIT(self->schedule);
    for (Py_ssize_t i = 0; i < self->count; i++) Py_VISIT(self->dirty[i]);
    return 0;
}

static int outbox_clear(Outbox *self) {
    Line **dirty = self->dirty;
    Py_ssize_t count = self->count;
    self->dirty = NULL;
    self->count = self->capacity = 0;
    for (Py_ssize_t i = 0; i < count; i++) Py_DECREF(dirty[i]);
    PyMem_Free(dirty);
    Py_CLEAR(self->schedule);
    Py_CLEAR(self->line_name);
    return 0;
}

static void outbox_dealloc(Outbox *self) {
    PyObject_GC_UnTrack(self);
    outbox_clear(self);
    Py_TYPE(self)->tp_free((PyObject *)self);
}

static PyMethodDef outbox_methods[] = {
    {"push", (PyCFunction)(void (*)(void))outbox_push, METH_FASTCALL, "Put a frame on a line."},
    {"push_all", (PyCFunction)(void (*)(void))outbox_push_all, METH_FASTCALL, "Put a frame on the lines of many."},
    {"wake", (PyCFunction)outbox_wake, METH_O, "Flush a line though nothing was put on it."},
    {"flush", (PyCFunction)outbox_flush, METH_O, "Write what is pending, on so many lines at most."},
    {NULL},
};

static PyMemberDef outbox_members[] = {
    {"bytes_max", T_PYSSIZET, offsetof(Outbox, bytes_max), READONLY, "Bytes that may wait on a line."},
    {"bytes_out", T_ULONGLONG, offsetof(Outbox, bytes_out), 0, "Bytes written."},
    {"writes", T_ULONGLONG, offsetof(Outbox, writes), 0, "Writes made."},
    {NULL},
};

static PyTypeObject OutboxType = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "svc.gateway.fanout._fanout.Lines",
    .tp_doc = "The lines that have something to be written.",
    .tp_basicsize = sizeof(Outbox),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_new = outbox_new,
    .tp_dealloc = (destructor)outbox_dealloc,
    .tp_traverse = (traverseproc)outbox_traverse,
    .tp_clear = (inquiry)outbox_clear,
    .tp_methods = outbox_methods,
    .tp_members = outbox_members,
};

static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "_fanout", "The fan-out loop in C.", -1, NULL};

PyMODINIT_FUNC PyInit__fanout(void) {
    if (PyType_Ready(&LineType) < 0 || PyType_Ready(&OutboxType) < 0) return NULL;
    PyObject *made = PyModule_Create(&module);
    if (made == NULL) return NULL;
    if (PyModule_AddObjectRef(made, "Line", (PyObject *)&LineType) < 0 ||
        PyModule_AddObjectRef(made, "Lines", (PyObject *)&OutboxType) < 0) {
        Py_DECREF(made);
        return NULL;
    }
    return made;
}
