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
constexpr std::uint16_t NOTE_ON = 0, NOTE_OFF = 1, NOTE_CHOKE = 2, NOTE_EXPRESSION = 4, PARAMETER_VALUE = 5, TRANSPORT = 9, MIDI = 10;

struct NoteEvent {
    EventHeader header;
    std::int32_t note;
    std::int16_t port, channel, key;
    double velocity;
};
struct NoteExpressionEvent {
    EventHeader header;
    std::int32_t what, note;
    std::int16_t port, channel, key;
    double value;
};
constexpr std::int32_t NOTE_VOLUME = 0, NOTE_TUNING = 2, NOTE_PRESSURE = 6;

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

struct Host {
    Version clap;
    void* data;
    const char *name, *vendor, *url, *version;
    const void* (*get_extension)(const Host*, const char* id);
    void (*request_restart)(const Host*);
    void (*request_process)(const Host*);
    void (*request_callback)(const Host*);
};
struct HostParameters {
    void (*rescan)(const Host*, std::uint32_t flags);
    void (*clear)(const Host*, std::uint32_t id, std::uint32_t flags);
    void (*request_flush)(const Host*);
};
constexpr std::uint32_t VALUES = 1 << 0;

// Presets inside the plugin: where they are told of, and how they are loaded.

constexpr std::uint32_t IN_PLUGIN = 1, FACTORY_CONTENT = 1 << 0;

struct UniversalId {
    const char *abi, *id;
};
struct Receiver {
    void* data;
    void (*on_error)(const Receiver*, std::int32_t error, const char* message);
    bool (*begin_preset)(const Receiver*, const char* name, const char* key);
    void (*add_plugin_id)(const Receiver*, const UniversalId*);
    void (*set_soundpack_id)(const Receiver*, const char*);
    void (*set_flags)(const Receiver*, std::uint32_t flags);
    void (*add_creator)(const Receiver*, const char* creator);
    void (*set_description)(const Receiver*, const char* description);
    void (*set_timestamps)(const Receiver*, std::uint64_t created, std::uint64_t changed);
    void (*add_feature)(const Receiver*, const char* feature);
    void (*add_extra_info)(const Receiver*, const char* key, const char* value);
};
struct Location {
    std::uint32_t flags;
    const char* name;
    std::uint32_t kind;
    const char* location;
};
struct Indexer {
    Version clap;
    const char *name, *vendor, *url, *version;
    void* data;
    bool (*declare_filetype)(const Indexer*, const void*);
    bool (*declare_location)(const Indexer*, const Location*);
    bool (*declare_soundpack)(const Indexer*, const void*);
    const void* (*get_extension)(const Indexer*, const char*);
};
struct ProviderDescriptor {
    Version clap;
    const char *id, *name, *vendor;
};
struct Provider {
    const ProviderDescriptor* described;
    void* data;
    bool (*init)(const Provider*);
    void (*destroy)(const Provider*);
    bool (*get_metadata)(const Provider*, std::uint32_t kind, const char* location, const Receiver*);
    const void* (*get_extension)(const Provider*, const char*);
};
struct ProviderFactory {
    std::uint32_t (*count)(const ProviderFactory*);
    const ProviderDescriptor* (*describe)(const ProviderFactory*, std::uint32_t index);
    const Provider* (*create)(const ProviderFactory*, const Indexer*, const char* id);
};
struct PresetLoad {
    bool (*from_location)(const Plugin*, std::uint32_t kind, const char* location, const char* key);
};

struct Factory {
    std::uint32_t (*count)(const Factory*);
    const Descriptor* (*describe)(const Factory*, std::uint32_t index);
    const Plugin* (*create)(const Factory*, const Host* host, const char* id);
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
constexpr std::uint32_t NOTES_DIALECT = 1 << 0, MIDI_DIALECT = 1 << 1, MPE_DIALECT = 1 << 2;

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
