// The chain as a CLAP plugin. Parameters on a log taper are given to the host as their place from 0 to 1, since CLAP
// knows no tapers; their text is in their unit.

#include "clap_abi.hpp"
#include "plugin.hpp"
#include "state.hpp"
#include "text.hpp"

#include <algorithm>
#include <cstring>

#if defined(_WIN32)
#define CLAP_EXPORT __declspec(dllexport)
#else
#define CLAP_EXPORT __attribute__((visibility("default")))
#endif

namespace {

using namespace mirepoix;

constexpr std::uint32_t BYPASS = 0x62797061;
constexpr int CHANNELS = 2;

double to_host(const Parameter& parameter, double value) { return parameter.log ? parameter.position(value) : value; }
double from_host(const Parameter& parameter, double value) {
    return parameter.log ? parameter.at(value) : std::clamp(value, parameter.low, parameter.high);
}
int find(std::uint32_t id) {
    for (int index = 0; index < PLUGIN.count; ++index)
        if (PLUGIN.parameters[index].id == id) return index;
    return -1;
}

const clap::Descriptor* descriptor() {
    static const clap::Descriptor described{clap::VERSION, PLUGIN.uri, PLUGIN.name, PLUGIN.vendor, PLUGIN.url, PLUGIN.url, PLUGIN.url,
                                            PLUGIN.version, PLUGIN.about, PLUGIN.features};
    return &described;
}

class Effect {
  public:
    explicit Effect(const clap::Host* host) : host_(host), processor_(make_processor()) {
        plugin_ = {descriptor(), this, yes, destroy, activate, nothing, yes, nothing, reset, process, extension, nothing};
    }
    const clap::Plugin* plugin() const { return &plugin_; }

  private:
    static Effect& of(const clap::Plugin* plugin) { return *static_cast<Effect*>(plugin->data); }

    // Life

    static bool yes(const clap::Plugin*) { return true; }
    static void nothing(const clap::Plugin*) {}
    static void destroy(const clap::Plugin* plugin) { delete &of(plugin); }
    static bool activate(const clap::Plugin* plugin, double rate, std::uint32_t, std::uint32_t most) {
        Effect& effect = of(plugin);
        effect.rate_ = rate;
        effect.silence_.assign(most, 0.0f);
        effect.pull();
        effect.processor_->prepare(rate, CHANNELS);
        return true;
    }
    static void reset(const clap::Plugin* plugin) { of(plugin).processor_->reset(); }

    void pull() {
        for (int index = 0; index < PLUGIN.count; ++index) processor_->set(index, settings_.value(index));
        processor_->bypass(settings_.bypassed());
    }

    // Sound

    static std::int32_t process(const clap::Plugin* plugin, const clap::Process* given) {
        Effect& effect = of(plugin);
        if (effect.restored_.exchange(false, std::memory_order_acquire)) effect.pull();
        if (given->transport) effect.follow(*given->transport);
        if (given->output_count < 1 || given->outputs[0].channels < CHANNELS || !given->outputs[0].samples) return clap::FAILED;
        std::uint32_t frame = 0;
        const std::uint32_t events = given->events ? given->events->size(given->events) : 0;
        for (std::uint32_t index = 0; index <= events; ++index) {
            const clap::EventHeader* event = index < events ? given->events->get(given->events, index) : nullptr;
            const std::uint32_t until = event ? std::min(event->time, given->frames) : given->frames;
            if (until > frame) {
                effect.run(*given, frame, until - frame);
                frame = until;
            }
            if (event) effect.take(*event);
        }
        return clap::CONTINUE;
    }

    void run(const clap::Process& given, std::uint32_t first, std::uint32_t frames) {
        float *in[CHANNELS], *out[CHANNELS], *side[CHANNELS];
        const auto fed = [&](std::uint32_t port) {
            return port < given.input_count && given.inputs[port].samples ? given.inputs[port].channels : 0u;
        };
        for (std::uint32_t channel = 0; channel < CHANNELS; ++channel) {
            in[channel] = fed(0) > channel ? given.inputs[0].samples[channel] + first : silence_.data();
            out[channel] = given.outputs[0].samples[channel] + first;
            if (fed(1)) side[channel] = given.inputs[1].samples[std::min(channel, fed(1) - 1)] + first;
        }
        processor_->process(in, out, PLUGIN.side && fed(1) ? side : nullptr, static_cast<int>(frames));
    }

    void follow(const clap::TransportEvent& event) {
        Transport transport = processor_->transport();
        if (event.flags & clap::HAS_TEMPO && event.bpm > 0.0) transport.bpm = event.bpm;
        if (event.flags & clap::HAS_METER && event.meter_lower > 0) transport.bar = 4.0 * event.meter_upper / event.meter_lower;
        if (event.flags & clap::HAS_BEATS && event.flags & clap::PLAYING) transport.beat = static_cast<double>(event.beats) / clap::BEAT;
        processor_->follow(transport);
    }

    void take(const clap::EventHeader& event) {
        if (event.space != 0) return;
        if (event.kind == clap::TRANSPORT) follow(reinterpret_cast<const clap::TransportEvent&>(event));
        if (PLUGIN.notes) hear(event);
        if (event.kind != clap::PARAMETER_VALUE) return;
        const auto& turned = reinterpret_cast<const clap::ParameterEvent&>(event);
        const int index = find(turned.parameter);
        if (turned.parameter == BYPASS) {
            settings_.bypass(turned.value >= 0.5);
            processor_->bypass(turned.value >= 0.5);
        } else if (index >= 0) {
            const double value = from_host(PLUGIN.parameters[index], turned.value);
            settings_.set(index, value);
            processor_->set(index, value);
        }
    }

    void hear(const clap::EventHeader& event) {
        if (event.kind == clap::MIDI) processor_->hear(reinterpret_cast<const clap::MidiEvent&>(event).bytes);
        if (event.kind == clap::NOTE_EXPRESSION) express(reinterpret_cast<const clap::NoteExpressionEvent&>(event));
        if (event.kind > clap::NOTE_CHOKE) return;
        const auto& note = reinterpret_cast<const clap::NoteEvent&>(event);
        const bool on = event.kind == clap::NOTE_ON;
        const int strength = on ? std::clamp(static_cast<int>(note.velocity * 127.0 + 0.5), 1, 127) : 64;
        const int channel = std::clamp<int>(note.channel, 0, 15);
        if (note.key >= 0) say(on ? 0x90 : 0x80, channel, note.key, strength);
        else if (!on) say(0xB0, channel, 123, 0);
    }
    void say(int status, int channel, int one, int two) {
        const std::uint8_t message[3] = {static_cast<std::uint8_t>(status | channel), static_cast<std::uint8_t>(one & 127),
                                         static_cast<std::uint8_t>(two & 127)};
        processor_->hear(message);
    }
    void express(const clap::NoteExpressionEvent& event) {
        if (event.what == clap::NOTE_VOLUME) processor_->amplify(event.channel, event.key, event.value);
        if (event.what == clap::NOTE_TUNING) processor_->tune(event.channel, event.key, event.value);
        if (event.what == clap::NOTE_PRESSURE && event.key >= 0)
            say(0xA0, std::clamp<int>(event.channel, 0, 15), event.key, static_cast<int>(event.value * 127.0 + 0.5));
    }

    // Ports

    static std::uint32_t note_ports(const clap::Plugin*, bool input) { return input && PLUGIN.notes ? 1 : 0; }
    static bool note_port(const clap::Plugin* plugin, std::uint32_t index, bool input, clap::NotePortInfo* info) {
        if (index >= note_ports(plugin, input)) return false;
        *info = {};
        info->dialects = clap::NOTES_DIALECT | clap::MIDI_DIALECT | clap::MPE_DIALECT;
        info->preferred = clap::NOTES_DIALECT;
        fit("Notes", info->name, sizeof info->name);
        return true;
    }

    static std::uint32_t ports(const clap::Plugin*, bool input) {
        if (input && PLUGIN.notes) return 0;
        return input && PLUGIN.side ? 2 : 1;
    }
    static bool port(const clap::Plugin* plugin, std::uint32_t index, bool input, clap::PortInfo* info) {
        if (index >= ports(plugin, input)) return false;
        *info = {};
        info->id = index;
        fit(index ? "Side chain" : input ? "Input" : "Output", info->name, sizeof info->name);
        info->flags = index ? 0 : clap::MAIN_PORT;
        info->channels = CHANNELS;
        info->kind = "stereo";
        info->in_place = index ? clap::NONE : 0;
        return true;
    }

    // Parameters

    static std::uint32_t parameters(const clap::Plugin*) { return static_cast<std::uint32_t>(PLUGIN.count) + 1; }
    static bool parameter(const clap::Plugin*, std::uint32_t index, clap::ParameterInfo* info) {
        *info = {};
        if (index == static_cast<std::uint32_t>(PLUGIN.count)) {
            info->id = BYPASS;
            info->flags = clap::STEPPED | clap::BYPASSES | clap::AUTOMATES;
            info->high = 1.0;
            fit("Bypass", info->name, sizeof info->name);
            return true;
        }
        if (index > static_cast<std::uint32_t>(PLUGIN.count)) return false;
        const Parameter& known = PLUGIN.parameters[index];
        info->id = known.id;
        info->flags = clap::AUTOMATES | (known.steps ? clap::STEPPED : 0);
        fit(known.group, info->module, sizeof info->module);
        info->low = to_host(known, known.low);
        info->high = to_host(known, known.high);
        info->initial = to_host(known, known.initial);
        fit(known.name, info->name, sizeof info->name);
        return true;
    }
    static bool value(const clap::Plugin* plugin, std::uint32_t id, double* value) {
        const int index = find(id);
        if (index < 0 && id != BYPASS) return false;
        const Settings& settings = of(plugin).settings_;
        *value = id == BYPASS ? (settings.bypassed() ? 1.0 : 0.0) : to_host(PLUGIN.parameters[index], settings.value(index));
        return true;
    }
    static bool to_text(const clap::Plugin*, std::uint32_t id, double value, char* text, std::uint32_t size) {
        const int index = find(id);
        if (index < 0 && id != BYPASS) return false;
        if (id == BYPASS) {
            fit(value >= 0.5 ? "On" : "Off", text, size);
            return true;
        }
        char number[32];
        const Parameter& known = PLUGIN.parameters[index];
        write_number(from_host(known, value), number, sizeof number);
        std::snprintf(text, size, "%s%s%s", number, *known.unit ? " " : "", known.unit);
        return true;
    }
    static bool from_text(const clap::Plugin*, std::uint32_t id, const char* text, double* value) {
        const int index = find(id);
        double number = 0.0;
        if (id == BYPASS) {
            const bool on = !std::strcmp(text, "On"), off = !std::strcmp(text, "Off");
            *value = on ? 1.0 : 0.0;
            return on || off;
        }
        if (index < 0 || !read_number(text, number)) return false;
        const Parameter& known = PLUGIN.parameters[index];
        *value = to_host(known, std::clamp(number, known.low, known.high));
        return true;
    }
    static void flush(const clap::Plugin* plugin, const clap::InputEvents* events, const clap::OutputEvents*) {
        for (std::uint32_t index = 0; index < events->size(events); ++index) of(plugin).take(*events->get(events, index));
    }

    // State

    static bool save(const clap::Plugin* plugin, const clap::OutputStream* stream) {
        const std::vector<char> bytes = of(plugin).settings_.save();
        for (std::size_t done = 0; done < bytes.size();) {
            const std::int64_t more = stream->write(stream, bytes.data() + done, bytes.size() - done);
            if (more <= 0) return false;
            done += static_cast<std::size_t>(more);
        }
        return true;
    }
    static bool load(const clap::Plugin* plugin, const clap::InputStream* stream) {
        std::vector<char> bytes;
        char piece[256];
        for (std::int64_t more; (more = stream->read(stream, piece, sizeof piece)) > 0 && bytes.size() < 1u << 20;)
            bytes.insert(bytes.end(), piece, piece + more);
        if (!of(plugin).settings_.load(bytes.data(), bytes.size())) return false;
        of(plugin).changed();
        return true;
    }
    // Parameters stand elsewhere: the processor takes them up with its next block, the host reads them again.
    void changed() {
        restored_.store(true, std::memory_order_release);
        const void* known = host_ && host_->get_extension ? host_->get_extension(host_, "clap.params") : nullptr;
        if (known) static_cast<const clap::HostParameters*>(known)->rescan(host_, clap::VALUES);
    }

    // Presets

    static bool from_location(const clap::Plugin* plugin, std::uint32_t kind, const char*, const char* key) {
        for (int preset = 0; kind == clap::IN_PLUGIN && key && preset < PLUGIN.preset_count; ++preset) {
            if (std::strcmp(PLUGIN.presets[preset].name, key)) continue;
            for (int index = 0; index < PLUGIN.count; ++index) of(plugin).settings_.set(index, PLUGIN.presets[preset].values[index]);
            of(plugin).changed();
            return true;
        }
        return false;
    }

    static std::uint32_t latency(const clap::Plugin* plugin) { return static_cast<std::uint32_t>(of(plugin).processor_->latency()); }
    static std::uint32_t tail(const clap::Plugin* plugin) {
        return static_cast<std::uint32_t>(std::min(of(plugin).processor_->tail_seconds() * of(plugin).rate_, 2.0e9));
    }

    static const void* extension(const clap::Plugin*, const char* id) {
        static constexpr clap::Ports known_ports{ports, port};
        static constexpr clap::Parameters known_parameters{parameters, parameter, value, to_text, from_text, flush};
        static constexpr clap::State known_state{save, load};
        static constexpr clap::Frames known_latency{latency}, known_tail{tail};
        if (!std::strcmp(id, "clap.audio-ports")) return &known_ports;
        static constexpr clap::NotePorts known_note_ports{note_ports, note_port};
        if (!std::strcmp(id, "clap.note-ports")) return PLUGIN.notes ? &known_note_ports : nullptr;
        if (!std::strcmp(id, "clap.params")) return &known_parameters;
        if (!std::strcmp(id, "clap.state")) return &known_state;
        if (!std::strcmp(id, "clap.latency")) return &known_latency;
        static constexpr clap::PresetLoad known_presets{from_location};
        if (!std::strcmp(id, "clap.preset-load/2") || !std::strcmp(id, "clap.preset-load.draft/2")) return &known_presets;
        return std::strcmp(id, "clap.tail") ? nullptr : &known_tail;
    }

    clap::Plugin plugin_;
    const clap::Host* host_;
    std::unique_ptr<Processor> processor_;
    Settings settings_;
    std::vector<float> silence_;
    std::atomic<bool> restored_{false};
    double rate_ = 44100.0;
};

std::uint32_t count(const clap::Factory*) { return 1; }
const clap::Descriptor* describe(const clap::Factory*, std::uint32_t index) { return index ? nullptr : descriptor(); }
const clap::Plugin* create(const clap::Factory*, const clap::Host* host, const char* id) {
    return std::strcmp(id, PLUGIN.uri) ? nullptr : (new Effect(host))->plugin();
}
const clap::Factory FACTORY{count, describe, create};

bool init(const char*) { return true; }
void deinit() {}

// What tells hosts of the presets without making a plugin.
const clap::ProviderDescriptor* described_provider() {
    static const clap::ProviderDescriptor described{clap::VERSION, PLUGIN.uri, PLUGIN.name, PLUGIN.vendor};
    return &described;
}
bool declare(const clap::Provider* provider) {
    const auto* const indexer = static_cast<const clap::Indexer*>(provider->data);
    const clap::Location inside{clap::FACTORY_CONTENT, PLUGIN.name, clap::IN_PLUGIN, nullptr};
    return indexer->declare_location(indexer, &inside);
}
bool tell(const clap::Provider*, std::uint32_t kind, const char*, const clap::Receiver* receiver) {
    if (kind != clap::IN_PLUGIN) return false;
    const clap::UniversalId id{"clap", PLUGIN.uri};
    for (int preset = 0; preset < PLUGIN.preset_count; ++preset) {
        if (!receiver->begin_preset(receiver, PLUGIN.presets[preset].name, PLUGIN.presets[preset].name)) return true;
        receiver->add_plugin_id(receiver, &id);
        receiver->set_flags(receiver, clap::FACTORY_CONTENT);
        receiver->add_creator(receiver, PLUGIN.vendor);
        for (const char* const* feature = PLUGIN.features; *feature; ++feature) receiver->add_feature(receiver, *feature);
    }
    return true;
}
void forget(const clap::Provider* provider) { delete provider; }
const void* no_more(const clap::Provider*, const char*) { return nullptr; }
std::uint32_t providers(const clap::ProviderFactory*) { return PLUGIN.preset_count ? 1 : 0; }
const clap::ProviderDescriptor* describe_provider(const clap::ProviderFactory*, std::uint32_t index) {
    return index ? nullptr : described_provider();
}
const clap::Provider* provide(const clap::ProviderFactory*, const clap::Indexer* indexer, const char* id) {
    if (std::strcmp(id, PLUGIN.uri)) return nullptr;
    return new clap::Provider{described_provider(), const_cast<clap::Indexer*>(indexer), declare, forget, tell, no_more};
}
const clap::ProviderFactory PROVIDERS{providers, describe_provider, provide};

const void* get_factory(const char* id) {
    if (!std::strcmp(id, "clap.plugin-factory")) return &FACTORY;
    return !std::strcmp(id, "clap.preset-discovery-factory/2") && PLUGIN.preset_count ? &PROVIDERS : nullptr;
}

}  // namespace

extern "C" {
CLAP_EXPORT extern const clap::Entry clap_entry;
const clap::Entry clap_entry{clap::VERSION, init, deinit, get_factory};
}
