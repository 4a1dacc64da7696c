// The chain as a VST3 plugin: one object is both processor and controller; the host shows its own editor.

#include "plugin.hpp"
#include "state.hpp"
#include "text.hpp"
#include "vst3_abi.hpp"
#include "vst3_factory.hpp"
#include "vst3_notes.hpp"
#include "vst3_units.hpp"

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
constexpr int CHANNELS = 2;

class Plugin final : public Component, public AudioProcessor, public Controller, public ContextRequirements, public ControllerMap,
                     public UnitList, public NoteExpressionList {
  public:
    Plugin() : processor_(make_processor()), notes_(*processor_), cursors_(static_cast<std::size_t>(PLUGIN.count) + 2 + EVERY) {}

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
        notes_.begin();
        for (std::int32_t frame = 0;;) {
            const std::int32_t next = std::min({turn(block.changes, frame), notes_.hear(block.events, frame), block.frames});
            if (sounds) run(block, frame, next - frame);
            frame = next;
            if (frame >= block.frames) break;
        }
        turn(block.changes, std::max(block.frames, 0));
        notes_.hear(block.events, std::max(block.frames, 0));
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
            describe(index - PLUGIN.count - list_size() - 1, info);
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

  private:
    static int find(std::uint32_t id) {
        for (int index = 0; index < PLUGIN.count; ++index)
            if (PLUGIN.parameters[index].id == id) return index;
        return -1;
    }

    void choose(double position) {
        program_.store(position, std::memory_order_relaxed);
        const double* const values = PLUGIN.presets[program(position)].values;
        for (int index = 0; index < PLUGIN.count; ++index) settings_.set(index, values[index]);
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
                if (heard >= 0) notes_.control(heard / HEARD, number, position);
            }
        }
        return next;
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
    NoteInput notes_;
    Settings settings_;
    std::vector<std::int32_t> cursors_;
    std::vector<float> silence_;
    std::atomic<std::uint32_t> references_{1};
    std::atomic<bool> restored_{false};
    std::atomic<double> program_{0.0};
    Handler* handler_ = nullptr;
    double rate_ = 44100.0;
    int channels_ = CHANNELS, side_channels_ = CHANNELS;
    bool side_active_ = false;
};

}  // namespace

VST3_EXPORT vst3::Factory* VST3_CALL GetPluginFactory() {
    static vst3::PluginFactory<Plugin> factory;
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
