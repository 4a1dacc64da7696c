// An instrument made of samples, in front of the chain: notes, velocity layers, loops, release, and what `expression.hpp`
// hears between notes.
//
// Sounds are read at any speed through a table of windowed sincs (24 taps under a Kaiser window); at their own key and
// rate they come out as they were recorded. Nothing depends on how the host cuts its blocks.

#pragma once

#include "expression.hpp"
#include "processor.hpp"

#include <cmath>
#include <cstdint>
#include <vector>

namespace mirepoix {

constexpr int RELEASE_POINTS = 9;

// One sample: frames at `place` among all samples, one channel behind the other, each between two silent or looped edges.
struct Zone {
    int low, key, high, velocity;
    long long place;
    int channels, frames, loop;  // the loop goes from there to the end; -1 for none
    float scale;                 // of one step of the 16 bits
    float decay;                 // dB a second from the loop's start on
    float release[RELEASE_POINTS];
};

struct Sounds {
    const Zone* zones;
    int count;
    const std::int16_t* samples;
    double rate;
    bool correlated;      // neighbouring velocities add up by amplitude, not by power
    double soft;          // the power of velocity that amplitude follows
    const float* points;  // seconds after the end of a note at which its level is known
    Expression expression;
};

// What a player turns on any instrument.
struct Handling {
    double volume_db = 0.0, attack_ms = 0.0, release = 1.0, tone = 0.0, velocity = 1.0;
    int voices = 64;
};

class Sampler {
  public:
    static constexpr int EDGE = 16;  // frames on both sides of every sample
    static constexpr int VOICES = 64, FADING = 16;

    explicit Sampler(const Sounds& sounds) : sounds_(sounds), voices_(VOICES + FADING), channels_(sounds.expression) {}

    void prepare(double rate, int channels) {
        rate_ = rate;
        sides_ = channels;
        for (int which = 0; which < TABLES; ++which) fill(tables_[which], std::pow(2.0, 0.5 * which));
        reset();
    }
    void reset() {
        silence();
        channels_.reset();
        for (float& low : low_) low = 0.0f;
        level_ = level();
    }

    Handling handling;

    // A MIDI message of three bytes.
    void hear(const std::uint8_t* message) {
        const int status = message[0] >> 4, one = message[1] & 127, two = message[2] & 127;
        const int channel = message[0] & 15;
        if (status == 9 && two) begin(channel, one, two);
        else if (status == 8 || status == 9) end(channel, one);
        else if (status == 10) press(channel, one, static_cast<float>(two));
        else if (status == 13) channels_[channel].turn(sounds_.expression, CHANNEL_PRESSURE, static_cast<float>(one));
        else if (status == 14) channels_[channel].wheel = ((one | two << 7) - 8192) / 8192.0;
        else if (status != 11) return;
        else if (one == 120) silence();
        else if (one >= 123) { for (Voice& voice : voices_) if (voice.channel == channel) release(voice); }
        else {
            if (one == 64) channels_[channel].pedal = two >= 64;
            if (one == 67) channels_[channel].soft = two >= 64;
            channels_.control(channel, one, two);
            if (one == 66) sostenuto(channel, two >= 64);
            if (one == 64 || one == 121) pedals();
        }
    }

    // What belongs to one note: its key's pressure, its own tuning in semitones, its own level.
    void press(int channel, int key, float value) {
        for (Voice& voice : voices_)
            if (voice.sounds && voice.key == key && voice.channel == channel) voice.pressure = value;
    }
    void tune(int channel, int key, double semitones) {
        for (Voice& voice : voices_)
            if (voice.sounds && concerns(voice, channel, key)) voice.tuning = semitones;
    }
    void amplify(int channel, int key, double gain) {
        for (Voice& voice : voices_)
            if (voice.sounds && concerns(voice, channel, key)) voice.own = static_cast<float>(gain);
    }

    void process(float* const* out, int frames) {
        for (int side = 0; side < sides_; ++side) std::fill_n(out[side], frames, 0.0f);
        for (int frame = 0; frame < frames; ++frame) {
            channels_.advance();
            for (int channel = 0; channel < 16; ++channel)
                for (int side = 0; side < 2; ++side) gains_[channel][side][frame] = channels_.gain(channel, side);
        }
        for (Voice& voice : voices_)
            if (voice.sounds) run(voice, out, frames);
        shape(out, frames);
    }

  private:
    static constexpr int TAPS = 24, PHASES = 256, TABLES = 5, STRIDE = 32;
    using Table = float[PHASES + 1][TAPS];

    // One sample on its way.
    struct Player {
        const Zone* zone = nullptr;
        double at = 0.0, step = 1.0;
        float gain = 0.0f, fall = 1.0f;  // and what is left of it a frame on, in the loop
        bool looped = false;
    };
    struct Voice {
        bool sounds = false, held = false, kept = false;  // the key is down, the middle pedal keeps it
        int key = 0, channel = 0, frames = 0;
        long long age = 0;
        Player players[2];
        const float* release = nullptr;
        int since = -1;      // frames since it was let go
        float quick = 0.0f;  // amplitude lost each frame by a voice that had to make room
        float level = 1.0f, slope = 0.0f;
        float soft = 1.0f, own = 1.0f, pressure = -1.0f;
        double tuning = 0.0, shake = 1.0;
    };

    static bool concerns(const Voice& voice, int channel, int key) {
        return (key < 0 || voice.key == key) && (channel < 0 || voice.channel == channel);
    }
    void silence() {
        for (Voice& voice : voices_) voice.sounds = false;
    }
    float level() const { return static_cast<float>(std::pow(10.0, handling.volume_db / 20.0)); }

    // The whole: tone, which tilts around 800 Hz by 6 dB at most, and volume.
    void shape(float* const* out, int frames) {
        const float coefficient = static_cast<float>(1.0 - std::exp(-2.0 * 3.14159265358979323846 * 800.0 / rate_));
        const float dark = static_cast<float>(std::pow(10.0, -0.3 * handling.tone)), bright = 1.0f / dark;
        const float wanted = level();
        if (handling.tone == 0.0 && wanted == 1.0f && level_ == 1.0f) return;
        for (int frame = 0; frame < frames; ++frame) {
            level_ += (wanted - level_) * 0.005f;
            if (std::fabs(wanted - level_) < 1e-6f) level_ = wanted;
            for (int side = 0; side < sides_; ++side) {
                float& sample = out[side][frame];
                low_[side] += (sample - low_[side]) * coefficient;
                if (handling.tone != 0.0) sample = low_[side] * dark + (sample - low_[side]) * bright;
                sample *= level_;
            }
        }
    }

    void fill(Table& table, double ratio) {
        const auto bessel = [](double x) {
            double sum = 1.0, term = 1.0;
            for (int k = 1; term > 1e-12 * sum; ++k) sum += term *= (0.5 * x / k) * (0.5 * x / k);
            return sum;
        };
        for (int phase = 0; phase <= PHASES; ++phase)
            for (int tap = 0; tap < TAPS; ++tap) {
                const double x = tap - (TAPS / 2 - 1) - static_cast<double>(phase) / PHASES, across = x / (TAPS / 2);
                const double angle = 3.14159265358979323846 * x / ratio;
                const double sinc = std::fabs(x) < 1e-9 ? 1.0 : std::sin(angle) / angle;
                const double window = std::fabs(across) >= 1.0 ? 0.0 : bessel(7.0 * std::sqrt(1.0 - across * across)) / bessel(7.0);
                table[phase][tap] = static_cast<float>(sinc / ratio * window);
            }
    }

    void begin(int channel, int key, int velocity) {
        if (handling.velocity != 1.0)
            velocity = std::max(1, static_cast<int>(127.0 * std::pow(velocity / 127.0, handling.velocity) + 0.5));
        for (Voice& voice : voices_)
            if (voice.sounds && voice.key == key && voice.channel == channel && voice.since < 0) release(voice);
        // The layers below and above.
        const Zone *under = nullptr, *over = nullptr;
        for (int index = 0; index < sounds_.count; ++index) {
            const Zone& zone = sounds_.zones[index];
            if (key < zone.low || key > zone.high) continue;
            if (zone.velocity <= velocity && (!under || zone.velocity > under->velocity)) under = &zone;
            if (zone.velocity >= velocity && (!over || zone.velocity < over->velocity)) over = &zone;
        }
        if (!under && !over) return;
        Voice& voice = free_voice();
        voice = Voice();
        voice.sounds = voice.held = true;
        voice.key = key;
        voice.channel = channel;
        const Controller* const soft = sounds_.expression.find(67);
        if (soft && channels_[channel].soft) voice.soft = soft->at(127.0f, 0);
        voice.age = ++count_;
        const auto power = [&](int which) { return std::pow(static_cast<double>(which), sounds_.soft); };
        voice.release = (over ? over : under)->release;
        if (!under || !over || under == over) {
            const Zone* const zone = under ? under : over;
            start(voice.players[0], *zone, key, power(velocity) / power(zone->velocity));
            return;
        }
        const double place = (power(velocity) - power(under->velocity)) / (power(over->velocity) - power(under->velocity));
        start(voice.players[0], *under, key, sounds_.correlated ? 1.0 - place : std::cos(1.5707963267948966 * place));
        start(voice.players[1], *over, key, sounds_.correlated ? place : std::sin(1.5707963267948966 * place));
    }
    void start(Player& player, const Zone& zone, int key, double gain) {
        player = Player();
        player.zone = &zone;
        player.step = std::pow(2.0, (key - zone.key) / 12.0) * sounds_.rate / rate_;
        player.gain = static_cast<float>(gain) * zone.scale;
        player.fall = static_cast<float>(std::pow(10.0, -zone.decay * player.step / sounds_.rate / 20.0));
    }
    Voice& free_voice() {
        Voice *oldest = nullptr, *eldest = &voices_[0];
        int busy = 0;
        for (Voice& voice : voices_) {
            if (voice.age < eldest->age) eldest = &voice;
            if (!voice.sounds || voice.quick > 0.0f) continue;
            ++busy;
            // Those that were let go make room first.
            if (!oldest || (voice.since >= 0) > (oldest->since >= 0) || ((voice.since >= 0) == (oldest->since >= 0) && voice.age < oldest->age))
                oldest = &voice;
        }
        if (busy >= std::min(VOICES, std::max(1, handling.voices)) && oldest) oldest->quick = static_cast<float>(1.0 / (0.005 * rate_));
        for (Voice& voice : voices_)
            if (!voice.sounds) return voice;
        return *eldest;
    }
    void end(int channel, int key) {
        for (Voice& voice : voices_) {
            if (!voice.sounds || voice.key != key || voice.channel != channel || !voice.held) continue;
            voice.held = false;
            if (!voice.kept && !channels_.pedal(channel)) release(voice);
        }
    }
    // Lets go of what no key and no pedal holds any more.
    void pedals() {
        for (Voice& voice : voices_)
            if (voice.sounds && !voice.held && !voice.kept && !channels_.pedal(voice.channel)) release(voice);
    }
    void sostenuto(int channel, bool down) {
        for (Voice& voice : voices_)
            if (voice.sounds && voice.channel == channel) voice.kept = down && (voice.held || voice.kept) && voice.since < 0;
        pedals();
    }
    void release(Voice& voice) {
        voice.held = voice.kept = false;
        // What nothing can stop plays to its end.
        if (voice.sounds && voice.since < 0 && voice.release[RELEASE_POINTS - 1] < 0.0f) voice.since = 0;
    }

    // The level after a note was let go.
    float released(const Voice& voice, int frames) const {
        const float seconds = static_cast<float>(frames / (rate_ * handling.release));
        const float *const level = voice.release, *const points = sounds_.points;
        int point = 1;
        while (point < RELEASE_POINTS - 1 && points[point] < seconds) ++point;
        const float across = (seconds - points[point - 1]) / (points[point] - points[point - 1]);
        float db = level[point - 1] + (level[point] - level[point - 1]) * across;
        // Behind the last point it goes on to fall, however slowly it did before.
        if (seconds > points[point]) db = std::min(db, level[point] - 20.0f * (seconds - points[point]));
        return std::pow(10.0f, db * 0.05f);
    }

    void run(Voice& voice, float* const* out, int frames) {
        const double bend = std::pow(2.0, (channels_.semitones(voice.channel) + voice.tuning) / 12.0);
        const Controller* const key = sounds_.expression.find(KEY_PRESSURE);
        const bool pressed = key && voice.pressure >= 0.0f;
        const float cents = channels_.cents(voice.channel) + (pressed ? key->cents * voice.pressure / 127.0f : 0.0f);
        const float mine = voice.soft * voice.own * (pressed ? key->at(voice.pressure, 0) : 1.0f);
        const float rising = static_cast<float>(handling.attack_ms * 0.001 * rate_);
        const auto& gains = gains_[voice.channel];
        for (int frame = 0; frame < frames && voice.sounds; ++frame) {
            if (voice.frames % STRIDE == 0) {
                const double turn = 2.0 * 3.14159265358979323846 * sounds_.expression.vibrato_hz * voice.frames / rate_;
                voice.shake = cents > 0.0f ? std::pow(2.0, cents * std::sin(turn) / 1200.0) : 1.0;
            }
            const float rise = voice.frames < rising ? static_cast<float>(voice.frames) / rising : 1.0f;
            ++voice.frames;
            if (voice.since >= 0) {
                if (voice.since % STRIDE == 0) {
                    voice.level = released(voice, voice.since);
                    voice.slope = (released(voice, voice.since + STRIDE) - voice.level) / STRIDE;
                    if (voice.level < 1e-5f) voice.sounds = false;
                }
                ++voice.since;
            }
            float sound[2] = {0.0f, 0.0f};
            bool any = false;
            for (Player& player : voice.players)
                if (player.zone) any = next(player, sound, bend * voice.shake) || any;
            if (!any) voice.sounds = false;
            const float loud = voice.level * mine * rise;
            for (int side = 0; side < sides_; ++side) out[side][frame] += sound[side] * loud * gains[side][frame];
            voice.level += voice.slope;
            if (voice.quick > 0.0f) {
                voice.level -= voice.quick;
                if (voice.level <= 0.0f) voice.sounds = false;
            }
        }
    }

    // Adds the next frame of a sample; false once it is over.
    bool next(Player& player, float* sound, double bend) {
        const Zone& zone = *player.zone;
        const double step = player.step * bend;
        const int frame = static_cast<int>(player.at);
        const float phase = static_cast<float>(player.at - frame) * PHASES;
        const int row = static_cast<int>(phase);
        const float part = phase - static_cast<float>(row);
        const int table = step <= 1.001 ? 0 : std::min(TABLES - 1, static_cast<int>(std::ceil(2.0 * std::log2(step))));
        const float *const one = tables_[table][row], *const other = tables_[table][row + 1];
        float taps[TAPS];
        for (int tap = 0; tap < TAPS; ++tap) taps[tap] = one[tap] + (other[tap] - one[tap]) * part;
        const std::int16_t* samples = sounds_.samples + zone.place + EDGE + frame - (TAPS / 2 - 1);
        float heard[2];
        for (int channel = 0; channel < zone.channels; ++channel, samples += zone.frames + 2 * EDGE) {
            float sum = 0.0f;
            for (int tap = 0; tap < TAPS; ++tap) sum += taps[tap] * static_cast<float>(samples[tap]);
            heard[channel] = sum * player.gain;
        }
        sound[0] += heard[0];
        sound[1] += heard[zone.channels - 1];
        player.looped = player.looped || (zone.loop >= 0 && player.at >= zone.loop);
        if (player.looped) player.gain *= player.fall;
        player.at += step;
        if (player.at >= zone.frames) {
            if (zone.loop < 0) {
                player.zone = nullptr;
                return false;
            }
            player.at -= zone.frames - zone.loop;
        }
        return player.gain > 1e-9f;
    }

    const Sounds& sounds_;
    std::vector<Voice> voices_;
    Table tables_[TABLES];
    Channels channels_;
    float gains_[16][2][GRID];
    float low_[2] = {}, level_ = 1.0f;
    double rate_ = 44100.0;
    int sides_ = 2;
    long long count_ = 0;
};

// The sampler with its chain behind it.
template <class Chain>
class Playing final : public Processor {
  public:
    explicit Playing(const Sounds& sounds) : sampler_(sounds) {}

    void prepare(double rate, int channels) override {
        channels_ = channels;
        sampler_.prepare(rate, channels);
        chain_.prepare(rate, channels);
    }
    void reset() override {
        sampler_.reset();
        chain_.reset();
    }
    int latency() const override { return chain_.latency(); }
    double tail_seconds() const override { return chain_.tail_seconds() + 3.0; }
    void set(int parameter, double value) override {
        Handling& handling = sampler_.handling;
        switch (parameter - PLUGIN.first_of_instrument) {
            case 0: handling.volume_db = value; break;
            case 1: handling.attack_ms = value; break;
            case 2: handling.release = value; break;
            case 3: handling.tone = value; break;
            case 4: handling.velocity = value; break;
            case 5: handling.voices = static_cast<int>(value + 0.5); break;
            default: chain_.set(parameter, value);
        }
    }
    void bypass(bool bypassed) override { chain_.bypass(bypassed); }
    Transport transport() const override { return chain_.transport(); }
    void follow(const Transport& transport) override { chain_.follow(transport); }
    void hear(const std::uint8_t* message) override { sampler_.hear(message); }
    void tune(int channel, int key, double semitones) override { sampler_.tune(channel, key, semitones); }
    void amplify(int channel, int key, double gain) override { sampler_.amplify(channel, key, gain); }

    void process(const float* const*, float* const* out, const float* const*, int frames) override {
        const NoSubnormals guard;
        for (int done = 0; done < frames;) {
            const int length = std::min(frames - done, GRID);
            Scratch notes;
            sampler_.process(notes.channel, length);
            chain_.process(notes.channel, Window<float>(out, channels_, done).channel, nullptr, length);
            done += length;
        }
    }

  private:
    Sampler sampler_;
    Running<Chain> chain_;
    int channels_ = 2;
};

}  // namespace mirepoix
