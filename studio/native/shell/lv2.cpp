// The chain as an LV2 plugin, in stereo and (where its steps allow) in mono. It requires nothing of the host.
//
// Ports, in this order: audio in (not of an instrument), audio out, side-chain in, one control each parameter, enabled,
// latency, and the host's time and notes when there is somebody to hear them. The turtle files say the same.

#include "lv2_abi.hpp"
#include "plugin.hpp"

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#if defined(_WIN32)
#define LV2_EXPORT extern "C" __declspec(dllexport)
#else
#define LV2_EXPORT extern "C" __attribute__((visibility("default")))
#endif

namespace {

using namespace mirepoix;
using namespace lv2;

constexpr int CHANNELS = 2;
constexpr const char* TIME = "http://lv2plug.in/ns/ext/time#";
constexpr const char* MIDI = "http://lv2plug.in/ns/ext/midi#";
constexpr const char* ATOM = "http://lv2plug.in/ns/ext/atom#";

// The numbers the host gives to the words of its time; all zero when it knows none.
struct Words {
    std::uint32_t position = 0, bar = 0, bar_beat = 0, beat_unit = 0, beats_per_bar = 0, bpm = 0, speed = 0;
    std::uint32_t midi = 0, object = 0, blank = 0, floating = 0, doubled = 0, whole = 0, large = 0;

    explicit Words(const Feature* const* features) {
        const UridMap* urids = nullptr;
        for (; features && *features; ++features)
            if (!std::strcmp((*features)->uri, "http://lv2plug.in/ns/ext/urid#map"))
                urids = static_cast<const UridMap*>((*features)->data);
        if (!urids) return;
        const auto map = [&](const char* space, const char* word) { return urids->map(urids->handle, (std::string(space) + word).c_str()); };
        position = map(TIME, "Position");
        bar = map(TIME, "bar");
        bar_beat = map(TIME, "barBeat");
        beat_unit = map(TIME, "beatUnit");
        beats_per_bar = map(TIME, "beatsPerBar");
        bpm = map(TIME, "beatsPerMinute");
        speed = map(TIME, "speed");
        midi = map(MIDI, "MidiEvent");
        object = map(ATOM, "Object");
        blank = map(ATOM, "Blank");
        floating = map(ATOM, "Float");
        doubled = map(ATOM, "Double");
        whole = map(ATOM, "Int");
        large = map(ATOM, "Long");
    }

    double number(const Atom& atom) const {
        const void* body = &atom + 1;
        if (atom.type == floating) return *static_cast<const float*>(body);
        if (atom.type == doubled) return *static_cast<const double*>(body);
        if (atom.type == whole) return *static_cast<const std::int32_t*>(body);
        return atom.type == large ? static_cast<double>(*static_cast<const std::int64_t*>(body)) : 0.0;
    }
};

class Plugin {
  public:
    Plugin(double rate, int channels, const Feature* const* features)
        : processor_(make_processor()), words_(features), channels_(channels), ports_(static_cast<std::size_t>(events() + 1)) {
        processor_->prepare(rate, channels);
    }

    void connect(std::uint32_t port, void* data) {
        if (port < ports_.size()) ports_[port] = data;
    }
    void activate() { processor_->reset(); }

    void run(std::uint32_t frames) {
        for (int index = 0; index < PLUGIN.count; ++index)
            if (const float* value = port<float>(controls() + index)) processor_->set(index, *value);
        if (const float* enabled = port<float>(controls() + PLUGIN.count)) processor_->bypass(*enabled < 0.5f);
        if (float* latency = port<float>(controls() + PLUGIN.count + 1)) *latency = static_cast<float>(processor_->latency());
        std::uint32_t done = 0;
        const auto until = [&](std::uint32_t frame) {
            if (frame > done && frame <= frames) sound(done, frame - done);
            done = std::max(done, std::min(frame, frames));
        };
        if (const Sequence* sequence = PLUGIN.tempo || PLUGIN.notes ? port<Sequence>(events()) : nullptr) hear(*sequence, until);
        until(frames);
    }

  private:
    int inputs() const { return PLUGIN.notes ? 0 : channels_; }
    int sides() const { return PLUGIN.side ? channels_ : 0; }
    int controls() const { return inputs() + channels_ + sides(); }
    int events() const { return controls() + PLUGIN.count + 2; }

    void sound(std::uint32_t first, std::uint32_t frames) {
        float *in[CHANNELS] = {}, *out[CHANNELS], *side[CHANNELS];
        bool heard = PLUGIN.side;
        for (int channel = 0; channel < channels_; ++channel) {
            if (!PLUGIN.notes) in[channel] = port<float>(channel);
            out[channel] = port<float>(inputs() + channel);
            side[channel] = PLUGIN.side ? port<float>(inputs() + channels_ + channel) : nullptr;
            heard = heard && side[channel];
            if ((!in[channel] && !PLUGIN.notes) || !out[channel]) return;
            if (in[channel]) in[channel] += first;
            if (side[channel]) side[channel] += first;
            out[channel] += first;
        }
        processor_->process(in, out, heard ? side : nullptr, static_cast<int>(frames));
    }

    template <class Data>
    Data* port(int index) const {
        return static_cast<Data*>(ports_[static_cast<std::size_t>(index)]);
    }

    // Time counts for the whole block, as it comes at its beginning; notes are heard at their frames.
    template <class Until>
    void hear(const Sequence& sequence, Until until) {
        const char* const first = reinterpret_cast<const char*>(&sequence.unit);
        for (std::uint32_t at = 8; at + sizeof(Event) <= sequence.atom.size;) {
            const Event& event = *reinterpret_cast<const Event*>(first + at);
            if (PLUGIN.tempo && (event.body.type == words_.object || event.body.type == words_.blank)) position(event.body);
            if (PLUGIN.notes && words_.midi && event.body.type == words_.midi) {
                until(static_cast<std::uint32_t>(std::max<std::int64_t>(event.frame, 0)));
                std::uint8_t message[3] = {};
                std::memcpy(message, &event.body + 1, std::min<std::uint32_t>(event.body.size, 3));
                processor_->hear(message);
            }
            at += static_cast<std::uint32_t>(sizeof(Event)) + padded(event.body.size);
        }
    }

    void position(const Atom& atom) {
        const char* const body = reinterpret_cast<const char*>(&atom + 1);
        if (!words_.position || reinterpret_cast<const Object*>(body)->kind != words_.position) return;
        Transport transport = processor_->transport();
        double bar = -1.0, beat = -1.0, beats = 0.0, unit = 4.0, speed = 0.0;
        for (std::uint32_t at = sizeof(Object); at + sizeof(Property) <= atom.size;) {
            const Property& property = *reinterpret_cast<const Property*>(body + at);
            const double value = words_.number(property.value);
            if (property.key == words_.bar) bar = value;
            if (property.key == words_.bar_beat) beat = value;
            if (property.key == words_.beats_per_bar) beats = value;
            if (property.key == words_.beat_unit && value > 0.0) unit = value;
            if (property.key == words_.bpm && value > 0.0) transport.bpm = value;
            if (property.key == words_.speed) speed = value;
            at += static_cast<std::uint32_t>(sizeof(Property)) + padded(property.value.size);
        }
        if (beats > 0.0) transport.bar = 4.0 * beats / unit;
        if (speed != 0.0 && bar >= 0.0 && beat >= 0.0) transport.beat = bar * transport.bar + 4.0 * beat / unit;
        processor_->follow(transport);
    }

    std::unique_ptr<Processor> processor_;
    Words words_;
    int channels_;
    std::vector<void*> ports_;
};

template <int channels>
void* instantiate(const Descriptor*, double rate, const char*, const Feature* const* features) {
    return new Plugin(rate, channels, features);
}
void connect_port(void* plugin, std::uint32_t port, void* data) { static_cast<Plugin*>(plugin)->connect(port, data); }
void activate(void* plugin) { static_cast<Plugin*>(plugin)->activate(); }
void run(void* plugin, std::uint32_t frames) { static_cast<Plugin*>(plugin)->run(frames); }
void deactivate(void*) {}
void cleanup(void* plugin) { delete static_cast<Plugin*>(plugin); }
const void* extension_data(const char*) { return nullptr; }

template <int channels>
const Descriptor* described(const char* uri) {
    static const Descriptor descriptor{uri, instantiate<channels>, connect_port, activate, run, deactivate, cleanup, extension_data};
    return &descriptor;
}

}  // namespace

LV2_EXPORT const lv2::Descriptor* lv2_descriptor(std::uint32_t index) {
    static const std::string mono = std::string(mirepoix::PLUGIN.uri) + "#mono";
    if (index == 0) return described<2>(mirepoix::PLUGIN.uri);
    return index == 1 && mirepoix::PLUGIN.mono ? described<1>(mono.c_str()) : nullptr;
}
