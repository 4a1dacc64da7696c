// What the sixteen channels of an instrument hear between notes: controllers, pressure, pitch bend and its range, pedals,
// and zones of channels that belong together (MIDI Polyphonic Expression 1.0).
//
// How loud, how far to a side and how much vibrato a controller makes was measured of the instrument that was sampled.

#pragma once

#include <cmath>
#include <cstdint>

namespace mirepoix {

constexpr int CONTROLLER_POINTS = 9;  // at values 0, 16 … 112, 127
constexpr int CHANNEL_PRESSURE = 128, KEY_PRESSURE = 129;

struct Controller {
    int number;                           // of MIDI, or one of those above
    float gain[CONTROLLER_POINTS][2];     // left and right, against the instrument as it was sampled
    float cents;                          // of vibrato when it is turned up

    float at(float value, int side) const {
        const float place = value < 0.0f ? 0.0f : value > 127.0f ? 127.0f : value;
        int point = static_cast<int>(place / 16.0f);
        if (point > CONTROLLER_POINTS - 2) point = CONTROLLER_POINTS - 2;
        const float low = 16.0f * static_cast<float>(point), wide = point == CONTROLLER_POINTS - 2 ? 15.0f : 16.0f;
        const float one = gain[point][side], other = gain[point + 1][side], across = (place - low) / wide;
        // Straight in the root of the amplitude, since by General MIDI 2 amplitude goes by the square of the value.
        const float root = std::sqrt(one) + (std::sqrt(other) - std::sqrt(one)) * across;
        return root * root;
    }
};

struct Expression {
    const Controller* controllers;
    int count;
    float vibrato_hz;
    double bend;  // semitones that the wheel bends at most until it is told otherwise

    const Controller* find(int number) const {
        for (int index = 0; index < count; ++index)
            if (controllers[index].number == number) return &controllers[index];
        return nullptr;
    }
};

// What one channel has heard.
struct Channel {
    static constexpr int GLIDE = 128;  // frames in which levels come to where a controller puts them
    static constexpr int KNOWN = 16;

    double wheel = 0.0, range = 2.0;  // from -1 to 1, and semitones
    float cents = 0.0f;               // of vibrato
    float gain[2] = {1.0f, 1.0f}, wanted[2] = {1.0f, 1.0f}, step[2] = {};
    int gliding = 0, parameter = 0x3FFF;
    float values[KNOWN];  // of the controllers of the instrument; below zero for those not heard yet
    bool pedal = false, soft = false;

    Channel() {
        for (float& value : values) value = -1.0f;
    }

    // A controller turned: everything it has a say in.
    void turn(const Expression& all, int number, float value) {
        for (int index = 0; index < all.count && index < KNOWN; ++index)
            if (all.controllers[index].number == number) values[index] = value;
        settle(all);
    }
    void rest(const Expression& all) {
        wheel = 0.0;
        pedal = soft = false;
        parameter = 0x3FFF;
        for (int index = 0; index < all.count && index < KNOWN; ++index)
            if (all.controllers[index].number != 7 && all.controllers[index].number != 10) values[index] = -1.0f;
        settle(all);
    }
    // The next frame of its level.
    void advance() {
        if (!gliding) return;
        for (int side = 0; side < 2; ++side) gain[side] = gliding == 1 ? wanted[side] : gain[side] + step[side];
        --gliding;
    }

  private:
    void settle(const Expression& all) {
        cents = 0.0f;
        wanted[0] = wanted[1] = 1.0f;
        for (int index = 0; index < all.count && index < KNOWN; ++index) {
            const Controller& controller = all.controllers[index];
            // The soft pedal and the pressure of a key belong to notes.
            if (values[index] < 0.0f || controller.number == 67 || controller.number == KEY_PRESSURE) continue;
            for (int side = 0; side < 2; ++side) wanted[side] *= controller.at(values[index], side);
            cents += controller.cents * values[index] / 127.0f;
        }
        gliding = GLIDE;
        for (int side = 0; side < 2; ++side) step[side] = (wanted[side] - gain[side]) / GLIDE;
    }
};

// All of them.
class Channels {
  public:
    explicit Channels(const Expression& expression) : expression_(expression) { reset(); }

    void reset() {
        for (Channel& channel : channels_) {
            channel = Channel();
            channel.range = expression_.bend;
        }
        lower_ = upper_ = 0;
    }

    Channel& operator[](int channel) { return channels_[channel & 15]; }

    // The channel that speaks for a whole zone; null outside of zones, and for that channel itself.
    const Channel* master(int channel) const {
        if (lower_ && channel > 0 && channel <= lower_) return &channels_[0];
        return upper_ && channel < 15 && channel >= 15 - upper_ ? &channels_[15] : nullptr;
    }
    double semitones(int channel) const {
        const Channel* const above = master(channel);
        const Channel& own = channels_[channel & 15];
        return own.wheel * own.range + (above ? above->wheel * above->range : 0.0);
    }
    float cents(int channel) const {
        const Channel* const above = master(channel);
        return channels_[channel & 15].cents + (above ? above->cents : 0.0f);
    }
    bool pedal(int channel) const {
        const Channel* const above = master(channel);
        return channels_[channel & 15].pedal || (above && above->pedal);
    }
    void advance() {
        for (Channel& channel : channels_) channel.advance();
    }
    float gain(int channel, int side) const {
        const Channel* const above = master(channel);
        return channels_[channel & 15].gain[side] * (above ? above->gain[side] : 1.0f);
    }

    // Controllers that are heard by a channel alone.
    void control(int channel, int number, int value) {
        Channel& own = channels_[channel & 15];
        if (number == 98 || number == 99) own.parameter = 0x3FFF;
        else if (number == 100) own.parameter = (own.parameter & 0x3F80) | value;
        else if (number == 101) own.parameter = (own.parameter & 0x7F) | value << 7;
        else if (number == 6 || number == 38) enter(channel, number, value);
        else if (number == 121) own.rest(expression_);
        else own.turn(expression_, number, static_cast<float>(value));
    }

    const Expression& expression() const { return expression_; }

  private:
    // A registered parameter: 0 is the range of the wheel, 6 on the outer channels makes a zone.
    void enter(int channel, int number, int value) {
        Channel& own = channels_[channel & 15];
        if (own.parameter == 0) {
            const double whole = std::floor(own.range), cents = own.range - whole;
            own.range = number == 6 ? value + cents : whole + value / 100.0;
        }
        if (own.parameter != 6 || number != 6 || (channel != 0 && channel != 15)) return;
        const int members = value > 15 ? 15 : value;
        (channel == 0 ? lower_ : upper_) = members;
        int& other = channel == 0 ? upper_ : lower_;
        if (members + other > 14) other = members >= 14 ? 0 : 14 - members;
        for (int index = 1; index <= members; ++index) channels_[channel == 0 ? index : 15 - index].range = 48.0;
    }

    const Expression& expression_;
    Channel channels_[16];
    int lower_ = 0, upper_ = 0;
};

}  // namespace mirepoix
