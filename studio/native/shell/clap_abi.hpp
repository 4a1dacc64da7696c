// The binary interface of CLAP 1.2, as far as an effect without a window needs it.
//
// Source: the CLAP specification, https://github.com/free-audio/clap

#pragma once

#include <cstdint>

namespace clap {

struct Version {
    std::uint32_t major, minor, revision;
};
constexpr Version VERSION{1, 2, 0};
constexpr std::uint32_t NONE = 0xFFFFFFFFu;

struct Descriptor {
    Version clap;
    const char *id, *name, *vendor, *url, *manual, *support, *version, *description;
    const char* const* features;
};

struct EventHeader {
    std::uint32_t size, time;
    std::uint16_t space, kind;
    std::uint32_t flags;
};
constexpr std::uint16_t NOTE_ON = 0, NOTE_OFF = 1, NOTE_CHOKE = 2, PARAMETER_VALUE = 5, TRANSPORT = 9, MIDI = 10;

struct NoteEvent {
    EventHeader header;
    std::int32_t note;
    std::int16_t port, channel, key;
    double velocity;
};
struct MidiEvent {
    EventHeader header;
    std::uint16_t port;
    std::uint8_t bytes[3];
};

struct ParameterEvent {
    EventHeader header;
    std::uint32_t parameter;
    void* cookie;
    std::int32_t note;
    std::int16_t port, channel, key;
    double value;
};

struct TransportEvent {
    EventHeader header;
    std::uint32_t flags;
    std::int64_t beats, seconds;
    double bpm, bpm_slope;
    std::int64_t loop_start_beats, loop_end_beats, loop_start_seconds, loop_end_seconds, bar_start;
    std::int32_t bar;
    std::uint16_t meter_upper, meter_lower;
};
constexpr std::uint32_t HAS_TEMPO = 1 << 0, HAS_BEATS = 1 << 1, HAS_METER = 1 << 3, PLAYING = 1 << 4;
constexpr double BEAT = 2147483648.0;

struct InputEvents {
    void* context;
    std::uint32_t (*size)(const InputEvents*);
    const EventHeader* (*get)(const InputEvents*, std::uint32_t index);
};
struct OutputEvents;

struct Buffer {
    float** samples;
    double** samples64;
    std::uint32_t channels, latency;
    std::uint64_t constant;
};

struct Process {
    std::int64_t steady_time;
    std::uint32_t frames;
    const TransportEvent* transport;
    const Buffer* inputs;
    Buffer* outputs;
    std::uint32_t input_count, output_count;
    const InputEvents* events;
    const OutputEvents* events_out;
};
constexpr std::int32_t FAILED = 0, CONTINUE = 1;

struct Plugin {
    const Descriptor* descriptor;
    void* data;
    bool (*init)(const Plugin*);
    void (*destroy)(const Plugin*);
    bool (*activate)(const Plugin*, double rate, std::uint32_t fewest, std::uint32_t most);
    void (*deactivate)(const Plugin*);
    bool (*start_processing)(const Plugin*);
    void (*stop_processing)(const Plugin*);
    void (*reset)(const Plugin*);
    std::int32_t (*process)(const Plugin*, const Process*);
    const void* (*get_extension)(const Plugin*, const char* id);
    void (*on_main_thread)(const Plugin*);
};

struct Factory {
    std::uint32_t (*count)(const Factory*);
    const Descriptor* (*describe)(const Factory*, std::uint32_t index);
    const Plugin* (*create)(const Factory*, const void* host, const char* id);
};

struct Entry {
    Version clap;
    bool (*init)(const char* path);
    void (*deinit)();
    const void* (*get_factory)(const char* id);
};

struct PortInfo {
    std::uint32_t id;
    char name[256];
    std::uint32_t flags, channels;
    const char* kind;
    std::uint32_t in_place;
};
struct Ports {
    std::uint32_t (*count)(const Plugin*, bool input);
    bool (*get)(const Plugin*, std::uint32_t index, bool input, PortInfo*);
};
constexpr std::uint32_t MAIN_PORT = 1 << 0;

struct NotePortInfo {
    std::uint32_t id, dialects, preferred;
    char name[256];
};
struct NotePorts {
    std::uint32_t (*count)(const Plugin*, bool input);
    bool (*get)(const Plugin*, std::uint32_t index, bool input, NotePortInfo*);
};
constexpr std::uint32_t NOTES_DIALECT = 1 << 0, MIDI_DIALECT = 1 << 1;

struct ParameterInfo {
    std::uint32_t id, flags;
    void* cookie;
    char name[256], module[1024];
    double low, high, initial;
};
struct Parameters {
    std::uint32_t (*count)(const Plugin*);
    bool (*info)(const Plugin*, std::uint32_t index, ParameterInfo*);
    bool (*value)(const Plugin*, std::uint32_t id, double*);
    bool (*to_text)(const Plugin*, std::uint32_t id, double value, char* text, std::uint32_t size);
    bool (*from_text)(const Plugin*, std::uint32_t id, const char* text, double*);
    void (*flush)(const Plugin*, const InputEvents*, const OutputEvents*);
};
constexpr std::uint32_t STEPPED = 1 << 0, BYPASSES = 1 << 4, AUTOMATES = 1 << 5;

struct InputStream {
    void* context;
    std::int64_t (*read)(const InputStream*, void* bytes, std::uint64_t size);
};
struct OutputStream {
    void* context;
    std::int64_t (*write)(const OutputStream*, const void* bytes, std::uint64_t size);
};
struct State {
    bool (*save)(const Plugin*, const OutputStream*);
    bool (*load)(const Plugin*, const InputStream*);
};
struct Frames {
    std::uint32_t (*get)(const Plugin*);
};

}  // namespace clap
