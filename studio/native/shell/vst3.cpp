// The chain as a VST3 plugin: one object is both processor and controller; the host shows its own editor.

#include "plugin.hpp"
#include "state.hpp"
#include "text.hpp"
#include "vst3_abi.hpp"

#include <algorithm>
#include <cstdio>

#if defined(_WIN32)
#define VST3_EXPORT extern "C" __declspec(dllexport)
#else
#define VST3_EXPORT extern "C" __attribute__((visibility("default")))
#endif

namespace {

using namespace mirepoix;
using namespace vst3;

constexpr std::uint32_t BYPASS = 0x62797061, PROGRAM = 0x70726F67;
constexpr std::int32_t PROGRAMS = 1;  // the only list of them
constexpr int CHANNELS = 2;

// What an instrument hears of the controllers: VST3 turns them into parameters, which the host does not show.
struct Heard {
    std::int16_t number;
    const char* name;
    double initial;
};
constexpr Heard CONTROLLERS[] = {
    {1, "Modulation", 0.0}, {6, "Data entry", 0.0}, {7, "Volume", 100.0 / 127.0}, {10, "Pan", 64.0 / 127.0},
    {11, "Expression", 1.0}, {38, "Data entry, fine", 0.0}, {64, "Sustain pedal", 0.0}, {66, "Sostenuto pedal", 0.0},
    {67, "Soft pedal", 0.0}, {98, "NRPN, fine", 1.0}, {99, "NRPN", 1.0}, {100, "RPN, fine", 1.0}, {101, "RPN", 1.0},
    {120, "All sound off", 0.0}, {121, "Reset controllers", 0.0}, {123, "All notes off", 0.0},
    {PRESSURE, "Pressure", 0.0}, {PITCH_WHEEL, "Pitch bend", 0.5},
};
constexpr std::uint32_t FIRST_CONTROLLER = 0x6D690000;
constexpr int HEARD = sizeof CONTROLLERS / sizeof CONTROLLERS[0], EVERY = 16 * HEARD;  // on all channels

int list_size() { return PLUGIN.preset_count > 1 ? 1 : 0; }

class Plugin final : public Component, public AudioProcessor, public Controller, public ContextRequirements, public MidiMapping,
                     public Units, public NoteExpressions {
  public:
    Plugin() : processor_(make_processor()), cursors_(static_cast<std::size_t>(PLUGIN.count) + 2 + EVERY), controllers_(EVERY) {
        for (int index = 0; index < EVERY; ++index) controllers_[static_cast<std::size_t>(index)] = CONTROLLERS[index % HEARD].initial;
        for (int index = 0; index < PLUGIN.count; ++index)
            if (unit_of(PLUGIN.parameters[index].group) < 0) groups_.push_back(PLUGIN.parameters[index].group);
    }

    // Unknown

    Result VST3_CALL queryInterface(const Id id, void** object) override {
        *object = Unknown::NAME.is(id) || Base::NAME.is(id) || Component::NAME.is(id) ? static_cast<Component*>(this)
                  : AudioProcessor::NAME.is(id)      ? static_cast<void*>(static_cast<AudioProcessor*>(this))
                  : Controller::NAME.is(id)          ? static_cast<void*>(static_cast<Controller*>(this))
                  : PLUGIN.notes && MidiMapping::NAME.is(id) ? static_cast<void*>(static_cast<MidiMapping*>(this))
                  : PLUGIN.notes && NoteExpressions::NAME.is(id) ? static_cast<void*>(static_cast<NoteExpressions*>(this))
                  : Units::NAME.is(id)               ? static_cast<void*>(static_cast<Units*>(this))
                  : ContextRequirements::NAME.is(id) ? static_cast<void*>(static_cast<ContextRequirements*>(this))
                                                     : nullptr;
        if (!*object) return NO_INTERFACE;
        addRef();
        return OK;
    }
    std::uint32_t VST3_CALL addRef() override { return ++references_; }
    std::uint32_t VST3_CALL release() override {
        const std::uint32_t left = --references_;
        if (!left) delete this;
        return left;
    }

    // Component

    Result VST3_CALL initialize(Unknown*) override { return OK; }
    Result VST3_CALL terminate() override {
        setComponentHandler(nullptr);
        return OK;
    }
    Result VST3_CALL getControllerClassId(Id) override { return NOT_IMPLEMENTED; }
    Result VST3_CALL setIoMode(std::int32_t) override { return NOT_IMPLEMENTED; }
    std::int32_t VST3_CALL getBusCount(std::int32_t media, std::int32_t direction) override {
        if (PLUGIN.notes) return (media == AUDIO) == (direction == OUTPUT) ? 1 : 0;
        return media != AUDIO ? 0 : direction == INPUT && PLUGIN.side ? 2 : 1;
    }
    Result VST3_CALL getBusInfo(std::int32_t media, std::int32_t direction, std::int32_t index, BusInfo& info) override {
        if (index < 0 || index >= getBusCount(media, direction)) return INVALID;
        info = {};
        info.media = media;
        info.direction = direction;
        info.channels = index ? side_channels_ : channels_;
        info.kind = index ? AUXILIARY : MAIN;
        info.flags = index ? 0 : BUS_ACTIVE;
        if (media == EVENT) info.channels = 16;
        widen(media == EVENT ? "Notes" : index ? "Side chain" : direction == INPUT ? "Input" : "Output", info.name, 128);
        return OK;
    }
    Result VST3_CALL getRoutingInfo(RoutingInfo&, RoutingInfo&) override { return NOT_IMPLEMENTED; }
    Result VST3_CALL activateBus(std::int32_t media, std::int32_t direction, std::int32_t index, std::uint8_t on) override {
        if (index < 0 || index >= getBusCount(media, direction)) return INVALID;
        if (index == 1) side_active_ = on;
        return OK;
    }
    Result VST3_CALL setActive(std::uint8_t on) override {
        if (on) prepare();
        return OK;
    }
    Result VST3_CALL setState(Stream* stream) override {
        std::vector<char> bytes;
        char piece[256];
        for (std::int32_t done = 0; stream->read(piece, sizeof piece, &done) == OK && done > 0 && bytes.size() < 1u << 20;)
            bytes.insert(bytes.end(), piece, piece + done);
        if (!settings_.load(bytes.data(), bytes.size())) return NO;
        restored_.store(true, std::memory_order_release);
        return OK;
    }
    Result VST3_CALL getState(Stream* stream) override {
        std::vector<char> bytes = settings_.save();
        std::int32_t done = 0;
        return stream->write(bytes.data(), static_cast<std::int32_t>(bytes.size()), &done);
    }

    // Processor

    Result VST3_CALL setBusArrangements(Arrangement* in, std::int32_t ins, Arrangement* out, std::int32_t outs) override {
        const auto fits = [](Arrangement given) { return given == STEREO || (given == MONO && PLUGIN.mono); };
        if (PLUGIN.notes) return ins == 0 && outs == 1 && out[0] == STEREO ? OK : NO;
        if (outs != 1 || ins < 1 || ins > getBusCount(AUDIO, INPUT) || in[0] != out[0] || !fits(in[0])) return NO;
        if (ins == 2 && in[1] != MONO && in[1] != STEREO && in[1] != 0) return NO;
        channels_ = in[0] == MONO ? 1 : 2;
        if (ins == 2) side_channels_ = in[1] == STEREO ? 2 : in[1] == MONO ? 1 : 0;
        return OK;
    }
    Result VST3_CALL getBusArrangement(std::int32_t direction, std::int32_t index, Arrangement& arrangement) override {
        if (index < 0 || index >= getBusCount(AUDIO, direction)) return INVALID;
        const int channels = index ? side_channels_ : channels_;
        arrangement = channels == 2 ? STEREO : channels == 1 ? MONO : 0;
        return OK;
    }
    Result VST3_CALL canProcessSampleSize(std::int32_t size) override { return size == 0 ? OK : NO; }
    std::uint32_t VST3_CALL getLatencySamples() override { return static_cast<std::uint32_t>(processor_->latency()); }
    Result VST3_CALL setupProcessing(Setup& setup) override {
        if (setup.sample_size != 0 || setup.most_frames < 0 || !(setup.rate > 0.0)) return INVALID;
        rate_ = setup.rate;
        silence_.assign(static_cast<std::size_t>(setup.most_frames), 0.0f);
        prepare();
        return OK;
    }
    Result VST3_CALL setProcessing(std::uint8_t) override { return OK; }
    std::uint32_t VST3_CALL getTailSamples() override {
        return static_cast<std::uint32_t>(std::min(processor_->tail_seconds() * rate_, 4.0e9));
    }
    std::uint32_t VST3_CALL getProcessContextRequirements() override {
        return NEED_BEAT | NEED_TEMPO | NEED_METER | NEED_TRANSPORT;
    }

    Result VST3_CALL process(Block& block) override {
        if (restored_.exchange(false, std::memory_order_acquire)) pull();
        if (block.context) follow(*block.context);
        const bool sounds = block.frames > 0 && block.output_buses > 0 && block.outputs[0].channels >= channels_ &&
                            static_cast<std::size_t>(block.frames) <= silence_.size();
        std::fill(cursors_.begin(), cursors_.end(), 0);
        note_ = 0;
        for (std::int32_t frame = 0;;) {
            const std::int32_t next = std::min({turn(block.changes, frame), hear(block.events, frame), block.frames});
            if (sounds) run(block, frame, next - frame);
            frame = next;
            if (frame >= block.frames) break;
        }
        turn(block.changes, std::max(block.frames, 0));
        hear(block.events, std::max(block.frames, 0));
        if (block.output_buses > 0) block.outputs[0].silent = 0;
        return OK;
    }

    // Controller

    Result VST3_CALL setComponentState(Stream*) override { return OK; }
    std::int32_t VST3_CALL getParameterCount() override { return PLUGIN.count + list_size() + 1 + (PLUGIN.notes ? EVERY : 0); }
    Result VST3_CALL getParameterInfo(std::int32_t index, ParameterInfo& info) override {
        if (index < 0 || index >= getParameterCount()) return INVALID;
        info = {};
        if (index > PLUGIN.count + list_size()) {
            const int heard = index - PLUGIN.count - list_size() - 1;
            const Heard& controller = CONTROLLERS[heard % HEARD];
            info.id = FIRST_CONTROLLER + static_cast<std::uint32_t>(heard);
            info.initial = controller.initial;
            info.flags = HIDDEN;
            char title[64];
            std::snprintf(title, sizeof title, "%s, channel %d", controller.name, heard / HEARD + 1);
            widen(title, info.title, 128);
            widen(controller.name, info.short_title, 128);
            return OK;
        }
        if (index == PLUGIN.count && list_size()) {
            info.id = PROGRAM;
            info.steps = PLUGIN.preset_count - 1;
            info.flags = AUTOMATES | LIST | CHANGES_PROGRAM;
            widen("Preset", info.title, 128);
            widen("Preset", info.short_title, 128);
            return OK;
        }
        if (index == PLUGIN.count + list_size()) {
            info.id = BYPASS;
            info.steps = 1;
            info.flags = AUTOMATES | BYPASSES;
            widen("Bypass", info.title, 128);
            widen("Bypass", info.short_title, 128);
            return OK;
        }
        const Parameter& parameter = PLUGIN.parameters[index];
        info.id = parameter.id;
        info.initial = parameter.position(parameter.initial);
        info.steps = parameter.steps;
        info.unit = unit_of(parameter.group);
        info.flags = AUTOMATES;
        widen(parameter.name, info.title, 128);
        widen(parameter.name, info.short_title, 128);
        widen(parameter.unit, info.units, 128);
        return OK;
    }
    Result VST3_CALL getParamStringByValue(std::uint32_t id, double position, Char16* text) override {
        char plain[32] = {};
        if (id == BYPASS) {
            widen(position >= 0.5 ? "On" : "Off", text, 128);
            return OK;
        }
        if (id == PROGRAM && list_size()) {
            widen(PLUGIN.presets[program(position)].name, text, 128);
            return OK;
        }
        const int index = find(id);
        if (index < 0) return INVALID;
        write_number(PLUGIN.parameters[index].at(position), plain, sizeof plain);
        widen(plain, text, 128);
        return OK;
    }
    Result VST3_CALL getParamValueByString(std::uint32_t id, Char16* text, double& position) override {
        const int index = find(id);
        double value = 0.0;
        if (id == BYPASS) {
            position = (text[0] == u'O' || text[0] == u'o') && (text[1] == u'n' || text[1] == u'N') ? 1.0 : 0.0;
            return OK;
        }
        if (index < 0 || !read_number(text, value)) return NO;
        position = plainParamToNormalized(id, value);
        return OK;
    }
    double VST3_CALL normalizedParamToPlain(std::uint32_t id, double position) override {
        const int index = find(id);
        return index < 0 ? position : PLUGIN.parameters[index].at(position);
    }
    double VST3_CALL plainParamToNormalized(std::uint32_t id, double value) override {
        const int index = find(id);
        if (index < 0) return value;
        const Parameter& parameter = PLUGIN.parameters[index];
        return parameter.position(std::clamp(value, parameter.low, parameter.high));
    }
    double VST3_CALL getParamNormalized(std::uint32_t id) override {
        const int index = find(id);
        if (id == BYPASS) return settings_.bypassed() ? 1.0 : 0.0;
        if (id == PROGRAM) return program_.load(std::memory_order_relaxed);
        if (const int heard = controller(id); heard >= 0) return controllers_[static_cast<std::size_t>(heard)].load(std::memory_order_relaxed);
        return index < 0 ? 0.0 : PLUGIN.parameters[index].position(settings_.value(index));
    }
    Result VST3_CALL setParamNormalized(std::uint32_t id, double position) override {
        if (id == PROGRAM && list_size()) {
            choose(position);
            restored_.store(true, std::memory_order_release);
            if (handler_) handler_->restartComponent(VALUES_CHANGED);
            return OK;
        }
        return put(id, position);
    }
    Result put(std::uint32_t id, double position) {
        const int index = find(id);
        if (id == BYPASS) settings_.bypass(position >= 0.5);
        else if (const int heard = controller(id); heard >= 0) controllers_[static_cast<std::size_t>(heard)].store(position, std::memory_order_relaxed);
        else if (index < 0) return INVALID;
        else settings_.set(index, PLUGIN.parameters[index].at(position));
        return OK;
    }
    Result VST3_CALL setComponentHandler(Unknown* given) override {
        if (handler_) handler_->release();
        handler_ = nullptr;
        void* found = nullptr;
        if (given && given->queryInterface(Handler::NAME.bytes, &found) == OK) handler_ = static_cast<Handler*>(found);
        return OK;
    }
    void* VST3_CALL createView(const char*) override { return nullptr; }

    // MidiMapping

    Result VST3_CALL getMidiControllerAssignment(std::int32_t bus, std::int16_t channel, std::int16_t number, std::uint32_t& id) override {
        for (int heard = 0; heard < HEARD && bus == 0 && channel >= 0 && channel < 16; ++heard) {
            if (CONTROLLERS[heard].number != number) continue;
            id = FIRST_CONTROLLER + static_cast<std::uint32_t>(channel * HEARD + heard);
            return OK;
        }
        return NO;
    }

    // Units

    std::int32_t VST3_CALL getUnitCount() override { return 1 + static_cast<std::int32_t>(groups_.size()); }
    Result VST3_CALL getUnitInfo(std::int32_t index, UnitDescription& info) override {
        if (index < 0 || index >= getUnitCount()) return INVALID;
        info = {};
        info.id = index;
        info.parent = index ? ROOT : NO_PARENT;
        info.programs = !index && list_size() ? PROGRAMS : NO_PROGRAMS;
        widen(index ? groups_[static_cast<std::size_t>(index) - 1] : "Root", info.name, 128);
        return OK;
    }
    std::int32_t VST3_CALL getProgramListCount() override { return list_size(); }
    Result VST3_CALL getProgramListInfo(std::int32_t index, ProgramList& info) override {
        if (index < 0 || index >= list_size()) return INVALID;
        info = {};
        info.id = PROGRAMS;
        info.count = PLUGIN.preset_count;
        widen("Presets", info.name, 128);
        return OK;
    }
    Result VST3_CALL getProgramName(std::int32_t list, std::int32_t index, Char16* name) override {
        if (!list_size() || list != PROGRAMS || index < 0 || index >= PLUGIN.preset_count) return INVALID;
        widen(PLUGIN.presets[index].name, name, 128);
        return OK;
    }
    Result VST3_CALL getProgramInfo(std::int32_t, std::int32_t, const char*, Char16*) override { return NO; }
    Result VST3_CALL hasProgramPitchNames(std::int32_t, std::int32_t) override { return NO; }
    Result VST3_CALL getProgramPitchName(std::int32_t, std::int32_t, std::int16_t, Char16*) override { return NO; }
    std::int32_t VST3_CALL getSelectedUnit() override { return ROOT; }
    Result VST3_CALL selectUnit(std::int32_t) override { return OK; }
    Result VST3_CALL getUnitByBus(std::int32_t, std::int32_t, std::int32_t, std::int32_t, std::int32_t& unit) override {
        unit = ROOT;
        return OK;
    }
    Result VST3_CALL setUnitProgramData(std::int32_t, std::int32_t, Stream*) override { return NO; }

    // NoteExpressions

    std::int32_t VST3_CALL getNoteExpressionCount(std::int32_t bus, std::int16_t) override { return bus == 0 ? 2 : 0; }
    Result VST3_CALL getNoteExpressionInfo(std::int32_t bus, std::int16_t, std::int32_t index, NoteExpression& info) override {
        if (bus != 0 || index < 0 || index > 1) return INVALID;
        info = {};
        info.id = index ? NOTE_TUNING : NOTE_VOLUME;
        info.unit = -1;
        info.initial = index ? 0.5 : 0.25;
        info.high = 1.0;
        widen(index ? "Tuning" : "Volume", info.title, 128);
        widen(index ? "Tuning" : "Volume", info.short_title, 128);
        widen(index ? "st" : "dB", info.units, 128);
        return OK;
    }
    Result VST3_CALL getNoteExpressionStringByValue(std::int32_t, std::int16_t, std::uint32_t id, double value, Char16* text) override {
        char plain[32];
        write_number(id == NOTE_TUNING ? 240.0 * (value - 0.5) : 20.0 * std::log10(std::max(4.0 * value, 1e-6)), plain, sizeof plain);
        widen(plain, text, 128);
        return OK;
    }
    Result VST3_CALL getNoteExpressionValueByString(std::int32_t, std::int16_t, std::uint32_t id, const Char16* text, double& value) override {
        double number = 0.0;
        if (!read_number(text, number)) return NO;
        value = std::clamp(id == NOTE_TUNING ? 0.5 + number / 240.0 : 0.25 * std::pow(10.0, number / 20.0), 0.0, 1.0);
        return OK;
    }

  private:
    static int find(std::uint32_t id) {
        for (int index = 0; index < PLUGIN.count; ++index)
            if (PLUGIN.parameters[index].id == id) return index;
        return -1;
    }

    // Of a group that is not known, -1.
    std::int32_t unit_of(const char* group) const {
        if (!*group) return ROOT;
        for (std::size_t index = 0; index < groups_.size(); ++index)
            if (!std::strcmp(groups_[index], group)) return static_cast<std::int32_t>(index) + 1;
        return -1;
    }
    static int program(double position) {
        return static_cast<int>(std::clamp(position, 0.0, 1.0) * (PLUGIN.preset_count - 1) + 0.5);
    }
    void choose(double position) {
        program_.store(position, std::memory_order_relaxed);
        const double* const values = PLUGIN.presets[program(position)].values;
        for (int index = 0; index < PLUGIN.count; ++index) settings_.set(index, values[index]);
    }

    static int controller(std::uint32_t id) {
        return PLUGIN.notes && id >= FIRST_CONTROLLER && id < FIRST_CONTROLLER + EVERY ? static_cast<int>(id - FIRST_CONTROLLER) : -1;
    }

    void prepare() {
        pull();
        processor_->prepare(rate_, channels_);
    }
    // Every setting into the processor, as after a state was restored.
    void pull() {
        for (int index = 0; index < PLUGIN.count; ++index) processor_->set(index, settings_.value(index));
        processor_->bypass(settings_.bypassed());
    }

    // Takes what the host changes up to `frame`, and gives the frame of its next change.
    std::int32_t turn(Changes* changes, std::int32_t frame) {
        // Data is entered after it was said for which parameter.
        const std::int32_t next = turn(changes, frame, false);
        return std::min(next, turn(changes, frame, true));
    }
    std::int32_t turn(Changes* changes, std::int32_t frame, bool data) {
        std::int32_t next = 0x7FFFFFFF;
        const std::int32_t queues = changes ? std::min<std::int32_t>(changes->getParameterCount(), static_cast<std::int32_t>(cursors_.size())) : 0;
        for (std::int32_t index = 0; index < queues; ++index) {
            Queue* queue = changes->getParameterData(index);
            if (!queue) continue;
            const std::uint32_t id = queue->getParameterId();
            const int parameter = find(id), heard = controller(id);
            const int number = heard >= 0 ? CONTROLLERS[heard % HEARD].number : 0;
            if ((number == 6 || number == 38) != data) continue;
            for (std::int32_t& cursor = cursors_[static_cast<std::size_t>(index)]; cursor < queue->getPointCount(); ++cursor) {
                std::int32_t offset = 0;
                double position = 0.0;
                if (queue->getPoint(cursor, offset, position) != OK) continue;
                if (offset > frame) {
                    next = std::min(next, offset);
                    break;
                }
                if (id == PROGRAM && list_size()) {
                    choose(position);
                    pull();
                    continue;
                }
                put(id, position);
                if (parameter >= 0) processor_->set(parameter, PLUGIN.parameters[parameter].at(position));
                if (id == BYPASS) processor_->bypass(position >= 0.5);
                if (heard >= 0) control(heard / HEARD, number, position);
            }
        }
        return next;
    }

    // Hands on the notes up to `frame`, and gives the frame of the next.
    std::int32_t hear(Events* events, std::int32_t frame) {
        const std::int32_t count = events && PLUGIN.notes ? events->getEventCount() : 0;
        for (; note_ < count; ++note_) {
            Event event{};
            if (events->getEvent(note_, event) != OK) continue;
            if (event.offset > frame) return event.offset;
            const bool on = event.kind == NOTE_ON;
            if (event.kind == KEY_PRESSED) say(0xA0, event.pressed.channel, event.pressed.key, event.pressed.pressure * 127.0);
            if (event.kind == NOTE_EXPRESSED) express(event.expressed.kind, event.expressed.note, event.expressed.value);
            if (!on && event.kind != NOTE_OFF) continue;
            const float velocity = std::clamp(on ? event.on.velocity : event.off.velocity, 0.0f, 1.0f) * 127.0f;
            const int key = on ? event.on.key : event.off.key;
            const int strength = on ? std::max(1, static_cast<int>(velocity + 0.5f)) : 64;
            const int channel = on ? event.on.channel : event.off.channel;
            say(on ? 0x90 : 0x80, channel, key, strength);
            if (!on) continue;
            sounding_[newest_] = {event.on.note, channel & 15, key & 127};
            newest_ = (newest_ + 1) % NOTES;
            if (event.on.tuning != 0.0f) processor_->tune(channel & 15, key & 127, event.on.tuning / 100.0);
        }
        return 0x7FFFFFFF;
    }
    void say(int status, int channel, int one, double two) {
        const std::uint8_t message[3] = {static_cast<std::uint8_t>(status | (channel & 15)), static_cast<std::uint8_t>(one & 127),
                                         static_cast<std::uint8_t>(std::clamp(static_cast<int>(two + 0.5), 0, 127))};
        processor_->hear(message);
    }
    void express(std::uint32_t kind, std::int32_t note, double value) {
        for (const Note& sounding : sounding_) {
            if (note < 0 || sounding.id != note) continue;
            if (kind == NOTE_VOLUME) processor_->amplify(sounding.channel, sounding.key, 4.0 * value);
            if (kind == NOTE_TUNING) processor_->tune(sounding.channel, sounding.key, 240.0 * (value - 0.5));
        }
    }
    void control(int channel, int number, double position) {
        const int fine = static_cast<int>(position * 16383.0 + 0.5), coarse = static_cast<int>(position * 127.0 + 0.5);
        // Turned back to zero, a switch says nothing.
        if (number == PITCH_WHEEL) say(0xE0, channel, fine & 127, fine >> 7);
        else if (number == PRESSURE) say(0xD0, channel, coarse, 0);
        else if (number < 120 || coarse) say(0xB0, channel, number, coarse);
    }

    void follow(const Context& context) {
        Transport transport = processor_->transport();
        if (context.state & HAS_TEMPO && context.bpm > 0.0) transport.bpm = context.bpm;
        if (context.state & HAS_METER && context.meter_lower > 0) transport.bar = 4.0 * context.meter_upper / context.meter_lower;
        if (context.state & PLAYING && context.state & HAS_BEAT) transport.beat = context.beat;
        processor_->follow(transport);
    }

    void run(Block& block, std::int32_t first, std::int32_t frames) {
        float *in[CHANNELS], *out[CHANNELS], *side[CHANNELS];
        const bool fed = block.input_buses > 0 && block.inputs[0].channels >= channels_;
        const int heard = side_active_ && block.input_buses > 1 ? std::min(block.inputs[1].channels, CHANNELS) : 0;
        for (int channel = 0; channel < channels_; ++channel) {
            in[channel] = fed ? block.inputs[0].samples[channel] + first : silence_.data();
            out[channel] = block.outputs[0].samples[channel] + first;
            if (heard) side[channel] = block.inputs[1].samples[std::min(channel, heard - 1)] + first;
        }
        processor_->process(in, out, heard ? side : nullptr, frames);
    }

    std::unique_ptr<Processor> processor_;
    Settings settings_;
    std::vector<std::int32_t> cursors_;
    std::vector<float> silence_;
    std::atomic<std::uint32_t> references_{1};
    std::atomic<bool> restored_{false};
    std::vector<std::atomic<double>> controllers_;
    std::vector<const char*> groups_;
    std::atomic<double> program_{0.0};
    Handler* handler_ = nullptr;
    static constexpr int NOTES = 64;
    struct Note {
        std::int32_t id = -1;
        int channel = 0, key = 0;
    };
    Note sounding_[NOTES];
    int newest_ = 0;
    std::int32_t note_ = 0;
    double rate_ = 44100.0;
    int channels_ = CHANNELS, side_channels_ = CHANNELS;
    bool side_active_ = false;
};

class PluginFactory final : public Factory3 {
  public:
    Result VST3_CALL queryInterface(const Id id, void** object) override {
        const bool known = Unknown::NAME.is(id) || Factory::NAME.is(id) || Factory2::NAME.is(id) || Factory3::NAME.is(id);
        *object = known ? this : nullptr;
        return known ? OK : NO_INTERFACE;
    }
    // It lives as long as the library.
    std::uint32_t VST3_CALL addRef() override { return 1; }
    std::uint32_t VST3_CALL release() override { return 1; }

    Result VST3_CALL getFactoryInfo(FactoryInfo* info) override {
        *info = {};
        fit(PLUGIN.vendor, info->vendor, sizeof info->vendor);
        fit(PLUGIN.url, info->url, sizeof info->url);
        info->flags = FACTORY_UNICODE;
        return OK;
    }
    std::int32_t VST3_CALL countClasses() override { return 1; }
    Result VST3_CALL getClassInfo(std::int32_t index, ClassInfo* info) override { return describe(index, *info); }
    Result VST3_CALL getClassInfo2(std::int32_t index, ClassInfo2* info) override {
        if (describe(index, *info) != OK) return INVALID;
        fit(PLUGIN.category, info->kinds, sizeof info->kinds);
        fit(PLUGIN.vendor, info->vendor, sizeof info->vendor);
        fit(PLUGIN.version, info->version, sizeof info->version);
        fit(SDK, info->sdk, sizeof info->sdk);
        return OK;
    }
    Result VST3_CALL getClassInfoUnicode(std::int32_t index, ClassInfoW* info) override {
        ClassInfo plain;
        if (describe(index, plain) != OK) return INVALID;
        *info = {};
        std::memcpy(info->id, plain.id, sizeof info->id);
        info->cardinality = plain.cardinality;
        fit(plain.category, info->category, sizeof info->category);
        widen(PLUGIN.name, info->name, 64);
        fit(PLUGIN.category, info->kinds, sizeof info->kinds);
        widen(PLUGIN.vendor, info->vendor, 64);
        widen(PLUGIN.version, info->version, 64);
        widen(SDK, info->sdk, 64);
        return OK;
    }
    Result VST3_CALL setHostContext(Unknown*) override { return OK; }
    Result VST3_CALL createInstance(const char* id, const char* interface, void** object) override {
        *object = nullptr;
        if (!Name(PLUGIN.id).is(id)) return INVALID;
        Plugin* plugin = new Plugin;
        const Result result = plugin->queryInterface(interface, object);
        plugin->release();
        return result;
    }

  private:
    static constexpr const char* SDK = "VST 3.7";

    template <class Info>
    static Result describe(std::int32_t index, Info& info) {
        if (index != 0) return INVALID;
        info = {};
        std::memcpy(info.id, Name(PLUGIN.id).bytes, sizeof info.id);
        info.cardinality = MANY_INSTANCES;
        fit("Audio Module Class", info.category, sizeof info.category);
        fit(PLUGIN.name, info.name, sizeof info.name);
        return OK;
    }
};

}  // namespace

VST3_EXPORT vst3::Factory* VST3_CALL GetPluginFactory() {
    static PluginFactory factory;
    return &factory;
}

#if defined(_WIN32)
VST3_EXPORT bool InitDll() { return true; }
VST3_EXPORT bool ExitDll() { return true; }
#elif defined(__APPLE__)
VST3_EXPORT bool bundleEntry(void*) { return true; }
VST3_EXPORT bool bundleExit() { return true; }
#else
VST3_EXPORT bool ModuleEntry(void*) { return true; }
VST3_EXPORT bool ModuleExit() { return true; }
#endif
