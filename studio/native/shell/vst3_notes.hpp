// What an instrument hears in VST3: notes, what is said of single ones, and controllers, as parameters nobody sees.

#pragma once

#include "plugin.hpp"
#include "text.hpp"
#include "vst3_abi.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdio>
#include <vector>

namespace vst3 {

using namespace mirepoix;

// VST3 turns controllers into parameters.
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

// Which parameter each controller is.
class ControllerMap : public MidiMapping {
  public:
    ControllerMap() : controllers_(EVERY) {
        for (int index = 0; index < EVERY; ++index) controllers_[static_cast<std::size_t>(index)] = CONTROLLERS[index % HEARD].initial;
    }

    Result VST3_CALL getMidiControllerAssignment(std::int32_t bus, std::int16_t channel, std::int16_t number, std::uint32_t& id) override {
        for (int heard = 0; heard < HEARD && bus == 0 && channel >= 0 && channel < 16; ++heard) {
            if (CONTROLLERS[heard].number != number) continue;
            id = FIRST_CONTROLLER + static_cast<std::uint32_t>(channel * HEARD + heard);
            return OK;
        }
        return NO;
    }

  protected:
    static int controller(std::uint32_t id) {
        return PLUGIN.notes && id >= FIRST_CONTROLLER && id < FIRST_CONTROLLER + EVERY ? static_cast<int>(id - FIRST_CONTROLLER) : -1;
    }
    static void describe(int heard, ParameterInfo& info) {
        const Heard& controller = CONTROLLERS[heard % HEARD];
        info.id = FIRST_CONTROLLER + static_cast<std::uint32_t>(heard);
        info.initial = controller.initial;
        info.flags = HIDDEN;
        char title[64];
        std::snprintf(title, sizeof title, "%s, channel %d", controller.name, heard / HEARD + 1);
        widen(title, info.title, 128);
        widen(controller.name, info.short_title, 128);
    }

    std::vector<std::atomic<double>> controllers_;
};

// What can be said of single notes.
class NoteExpressionList : public NoteExpressions {
  public:
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
};

// Hands the host's notes and controllers on as MIDI.
class NoteInput {
  public:
    explicit NoteInput(Processor& processor) : processor_(processor) {}

    // A new block of events begins.
    void begin() { note_ = 0; }

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
            if (event.on.tuning != 0.0f) processor_.tune(channel & 15, key & 127, event.on.tuning / 100.0);
        }
        return 0x7FFFFFFF;
    }

    void control(int channel, int number, double position) {
        const int fine = static_cast<int>(position * 16383.0 + 0.5), coarse = static_cast<int>(position * 127.0 + 0.5);
        // Turned back to zero, a switch says nothing.
        if (number == PITCH_WHEEL) say(0xE0, channel, fine & 127, fine >> 7);
        else if (number == PRESSURE) say(0xD0, channel, coarse, 0);
        else if (number < 120 || coarse) say(0xB0, channel, number, coarse);
    }

  private:
    void say(int status, int channel, int one, double two) {
        const std::uint8_t message[3] = {static_cast<std::uint8_t>(status | (channel & 15)), static_cast<std::uint8_t>(one & 127),
                                         static_cast<std::uint8_t>(std::clamp(static_cast<int>(two + 0.5), 0, 127))};
        processor_.hear(message);
    }
    void express(std::uint32_t kind, std::int32_t note, double value) {
        for (const Note& sounding : sounding_) {
            if (note < 0 || sounding.id != note) continue;
            if (kind == NOTE_VOLUME) processor_.amplify(sounding.channel, sounding.key, 4.0 * value);
            if (kind == NOTE_TUNING) processor_.tune(sounding.channel, sounding.key, 240.0 * (value - 0.5));
        }
    }

    Processor& processor_;
    static constexpr int NOTES = 64;
    struct Note {
        std::int32_t id = -1;
        int channel = 0, key = 0;
    };
    Note sounding_[NOTES];
    int newest_ = 0;
    std::int32_t note_ = 0;
};

}  // namespace vst3
