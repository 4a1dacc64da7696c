// The binary interface of LV2, as far as an effect without a window needs it.
//
// Source: the LV2 specification, https://lv2plug.in/ns/

#pragma once

#include <cstdint>

namespace lv2 {

struct Feature {
    const char* uri;
    void* data;
};

struct Descriptor {
    const char* uri;
    void* (*instantiate)(const Descriptor*, double rate, const char* bundle, const Feature* const* features);
    void (*connect_port)(void* plugin, std::uint32_t port, void* data);
    void (*activate)(void* plugin);
    void (*run)(void* plugin, std::uint32_t frames);
    void (*deactivate)(void* plugin);
    void (*cleanup)(void* plugin);
    const void* (*extension_data)(const char* uri);
};

struct UridMap {
    void* handle;
    std::uint32_t (*map)(void* handle, const char* uri);
};

struct Atom {
    std::uint32_t size, type;
};
struct Sequence {
    Atom atom;
    std::uint32_t unit, pad;
};
struct Event {
    std::int64_t frame;
    Atom body;
};
struct Object {
    std::uint32_t id, kind;
};
struct Property {
    std::uint32_t key, context;
    Atom value;
};

// The next of a row of things that each begin at a multiple of eight bytes.
inline std::uint32_t padded(std::uint32_t size) { return (size + 7u) & ~7u; }

}  // namespace lv2
