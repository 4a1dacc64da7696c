// What a shell (VST3, LV2, CLAP) and the chain it carries know of each other.

#pragma once

#include <cmath>
#include <cstdint>
#include <memory>

namespace mirepoix {

struct Parameter {
    std::uint32_t id;    // the same in every export of a knob with this name
    const char* name;    // UTF-8
    const char* symbol;  // letters, digits and _ only
    const char* unit;    // UTF-8
    const char* group;   // UTF-8: the step it belongs to; empty for knobs of the whole
    double low, high, initial;
    bool log;
    int steps;  // from one end to the other, where only whole numbers mean anything; else 0

    // Where a value stands on a slider from 0 to 1, and the other way round.
    double position(double value) const {
        return log ? std::log(value / low) / std::log(high / low) : (value - low) / (high - low);
    }
    double at(double position) const {
        position = position < 0.0 ? 0.0 : position > 1.0 ? 1.0 : position;
        if (steps) position = std::floor(position * steps + 0.5) / steps;
        return log ? low * std::pow(high / low, position) : low + (high - low) * position;
    }
};

// Where all parameters stand at once.
struct Preset {
    const char* name;      // UTF-8
    const double* values;  // in the order of the parameters
};

struct Description {
    const char* name;     // UTF-8
    const char* vendor;   // UTF-8
    const char* version;  // of the studio that wrote it
    const char* recipe;   // hash of the chain it was made from
    const char* uri;
    const char* url;
    const char* about;     // what it does, in a line
    const char* category;  // as VST3 has them: Fx|Delay
    const char* const* features;  // as CLAP has them, a null at the end
    unsigned char id[16];
    const Parameter* parameters;
    int count;
    const Preset* presets;
    int preset_count;
    bool mono;   // whether it can run on one channel
    bool side;   // whether it has a side-chain input
    bool tempo;  // whether it follows the tempo
    bool notes;  // whether it is an instrument: it hears notes instead of sound
    int first_of_instrument;  // the first parameter that belongs to the instrument in front of the chain
    double bpm, bar;  // the tempo, and quarter notes in a bar, when the host gives none
};

struct Transport {
    double beat = 0.0;  // quarter notes since the beginning of the song
    double bpm = 120.0;
    double bar = 4.0;  // quarter notes in a bar
};

// The chain at work. Only prepare() allocates; set() and everything below it belong to the audio thread.
class Processor {
  public:
    virtual ~Processor() = default;
    virtual void prepare(double rate, int channels) = 0;
    virtual int latency() const = 0;
    virtual double tail_seconds() const = 0;  // seconds of silence that more sound can come behind

    virtual void set(int parameter, double value) = 0;
    virtual void bypass(bool bypassed) = 0;
    virtual void reset() = 0;
    virtual Transport transport() const = 0;
    virtual void follow(const Transport& transport) = 0;  // where the song is at the next frame
    virtual void hear(const std::uint8_t*) {}  // three bytes of MIDI, at the next frame
    virtual void tune(int, int, double) {}     // a note by channel and key (-1: all) by so many semitones
    virtual void amplify(int, int, double) {}  // and its level
    virtual void process(const float* const* in, float* const* out, const float* const* side, int frames) = 0;
};

// Written for each chain:
extern const Description PLUGIN;
std::unique_ptr<Processor> make_processor();

}  // namespace mirepoix
