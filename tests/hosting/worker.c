// An LV2 plugin that is a gain, which it asks its host to fetch for it: it puts that work off, and hears of the outcome.
// It needs a worker, the options and numbers for URIs, and refuses to start without them.

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef struct { const char* uri; void* data; } Feature;
typedef struct { void* handle; uint32_t (*map)(void*, const char*); } Map;
typedef struct { void* handle; int (*schedule)(void*, uint32_t, const void*); } Schedule;
typedef struct { uint32_t context, subject, key, size, type; const void* value; } Option;
typedef int (*Respond)(void*, uint32_t, const void*);
typedef struct { float* ports[4]; Schedule* schedule; int32_t longest; float gain; int asked; } Self;

static void* instantiate(const void* d, double rate, const char* path, const Feature* const* features) {
    Map* map = 0;
    Schedule* schedule = 0;
    const Option* options = 0;
    for (; *features; ++features) {
        if (!strcmp((*features)->uri, "http://lv2plug.in/ns/ext/urid#map")) map = (*features)->data;
        if (!strcmp((*features)->uri, "http://lv2plug.in/ns/ext/worker#schedule")) schedule = (*features)->data;
        if (!strcmp((*features)->uri, "http://lv2plug.in/ns/ext/options#options")) options = (*features)->data;
    }
    if (!map || !schedule || !options) return 0;
    Self* self = calloc(1, sizeof(Self));
    self->schedule = schedule;
    const uint32_t key = map->map(map->handle, "http://lv2plug.in/ns/ext/buf-size#maxBlockLength");
    for (; options->key; ++options)
        if (options->key == key) self->longest = *(const int32_t*)options->value;
    return self;
}

static void connect_port(void* self, uint32_t port, void* at) { ((Self*)self)->ports[port] = at; }

static void run(void* handle, uint32_t frames) {
    Self* self = handle;
    if (!self->asked++) {
        const float wanted = 0.25f;
        self->schedule->schedule(self->schedule->handle, sizeof(wanted), &wanted);
    }
    for (uint32_t frame = 0; frame < frames; ++frame)
        self->ports[1][frame] = (int32_t)frames <= self->longest ? self->gain * self->ports[0][frame] : 100.0f;
}

static int work(void* self, Respond respond, void* to, uint32_t size, const void* data) {
    const float gain = 2.0f * *(const float*)data;
    return respond(to, sizeof(gain), &gain);
}

static int answered(void* self, uint32_t size, const void* data) {
    ((Self*)self)->gain = *(const float*)data;
    return 0;
}

static const void* extension_data(const char* uri) {
    static const struct { int (*work)(void*, Respond, void*, uint32_t, const void*); int (*answered)(void*, uint32_t, const void*); void* end; }
        worker = {work, answered, 0};
    return strcmp(uri, "http://lv2plug.in/ns/ext/worker#interface") ? 0 : &worker;
}

static const struct {
    const char* uri;
    void* (*instantiate)(const void*, double, const char*, const Feature* const*);
    void (*connect_port)(void*, uint32_t, void*);
    void (*activate)(void*);
    void (*run)(void*, uint32_t);
    void (*deactivate)(void*);
    void (*cleanup)(void*);
    const void* (*extension_data)(const char*);
} PLUGIN = {"urn:test:worker", instantiate, connect_port, 0, run, 0, free, extension_data};

const void* lv2_descriptor(uint32_t index) { return index ? 0 : &PLUGIN; }
