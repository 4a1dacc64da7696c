// Effects that move by themselves.

#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "chance.hpp"
#include "glide.hpp"
#include "context.hpp"

namespace mirepoix {

// A sine from a phase in single precision, whose speed glides.
class Swing {
public:
    void prepare(double rate) {
        rate_ = static_cast<float>(rate);
        speed_.prepare(rate, 0.05);
    }
    void reset() {
        phase_ = 0.0f;
        speed_.settle();
    }
    void to(float hz) { speed_.to(hz); }

    float next() {
        const float last = phase_;
        phase_ += TURN / rate_ * speed_.next();
        while (phase_ >= TURN) phase_ -= TURN;
        return std::sin(last - TURN / 2.0f);
    }

private:
    static constexpr float TURN = 6.283185307179586f;
    float rate_ = 44100.0f, phase_ = 0.0f;
    Glide speed_;
};

// A short delay, swept.
struct Chorus {
    Knob rate, depth, mix, delay, feedback;

    void prepare(const RenderContext& context) {
        rate_ = context.rate;
        swing_.prepare(context.rate);
        for (Glide* glide : {&sweep_, &wet_, &dry_, &again_}) glide->prepare(context.rate, 0.05);
        const size_t longest = static_cast<size_t>(std::ceil(110.0 * context.rate / 1000.0)) + 2;
        lines_.assign(static_cast<size_t>(context.channels), std::vector<float>(longest, 0.0f));
        last_.assign(lines_.size(), 0.0f);
        reset();
    }
    void reset() {
        for (auto& line : lines_) std::fill(line.begin(), line.end(), 0.0f);
        std::fill(last_.begin(), last_.end(), 0.0f);
        write_ = 0;
        fresh_ = true;
    }
    int latency() const { return 0; }
    double tail_seconds() const { return 0.05; }

    void process(float* const* audio, const BlockContext& now) {
        swing_.to(static_cast<float>(rate.middle()));
        sweep_.to(static_cast<float>(depth.middle()) * 0.5f);
        wet_.to(static_cast<float>(mix.middle()));
        dry_.to(1.0f - static_cast<float>(mix.middle()));
        again_.to(static_cast<float>(feedback.middle()));
        if (fresh_) {
            for (Glide* glide : {&sweep_, &wet_, &dry_, &again_}) glide->settle();
            swing_.reset();
            fresh_ = false;
        }
        const float centre = std::clamp(static_cast<float>(delay.middle()), 1.0f, 100.0f);
        const size_t size = lines_[0].size();
        for (int i = 0; i < now.frames; ++i) {
            const float ms = std::max(1.0f, 20.0f * (swing_.next() * sweep_.next()) + centre);
            const float wanted = std::min(static_cast<float>(ms * rate_ / 1000.0), static_cast<float>(size - 2));
            const size_t whole = static_cast<size_t>(wanted);
            const float share = wanted - static_cast<float>(whole);
            const float wet = wet_.next(), dry = dry_.next(), again = again_.next();
            for (size_t c = 0; c < lines_.size(); ++c) {
                auto& line = lines_[c];
                const float in = audio[c][i];
                line[write_] = in - last_[c];
                const float near = line[(write_ + size - whole) % size], far = line[(write_ + 2 * size - whole - 1) % size];
                const float out = near + share * (far - near);
                last_[c] = out * again;
                audio[c][i] = out * wet + in * dry;
            }
            write_ = (write_ + 1) % size;
        }
    }

private:
    double rate_ = 44100.0;
    bool fresh_ = true;
    size_t write_ = 0;
    Swing swing_;
    Glide sweep_, wet_, dry_, again_;
    std::vector<std::vector<float>> lines_;
    std::vector<float> last_;
};

// Six all-pass filters of the first order, swept every fourth frame.
struct Phaser {
    Knob rate, depth, mix, centre, feedback;

    void prepare(const RenderContext& context) {
        rate_ = context.rate;
        swing_.prepare(context.rate / EVERY);
        sweep_.prepare(context.rate / EVERY, 0.05);
        for (Glide* glide : {&wet_, &dry_, &again_}) glide->prepare(context.rate, 0.05);
        stages_.assign(static_cast<size_t>(context.channels), {});
        last_.assign(stages_.size(), 0.0f);
        reset();
    }
    void reset() {
        std::fill(stages_.begin(), stages_.end(), std::array<float, STAGES>{});
        std::fill(last_.begin(), last_.end(), 0.0f);
        count_ = 0;
        fresh_ = true;
    }
    int latency() const { return 0; }
    double tail_seconds() const { return 0.05; }

    void process(float* const* audio, const BlockContext& now) {
        swing_.to(static_cast<float>(rate.middle()));
        sweep_.to(static_cast<float>(depth.middle()) * 0.5f);
        wet_.to(static_cast<float>(mix.middle()));
        dry_.to(1.0f - static_cast<float>(mix.middle()));
        again_.to(static_cast<float>(feedback.middle()));
        if (fresh_) {
            for (Glide* glide : {&sweep_, &wet_, &dry_, &again_}) glide->settle();
            swing_.reset();
            fresh_ = false;
        }
        const float low = std::log10(20.0f), high = std::log10(static_cast<float>(std::min(20000.0, 0.49 * rate_)));
        const float middle = (std::log10(static_cast<float>(centre.middle())) - low) / (high - low);
        for (int i = 0; i < now.frames; ++i) {
            if (count_ == 0) {
                const float place = std::clamp(swing_.next() * sweep_.next() + middle, 0.0f, 1.0f);
                const float hz = std::pow(10.0f, place * (high - low) + low);
                const float g = static_cast<float>(std::tan(3.14159265358979323846 * hz / rate_));
                gain_ = g / (1.0f + g);
            }
            count_ = (count_ + 1) % EVERY;
            const float wet = wet_.next(), dry = dry_.next(), again = again_.next();
            for (size_t c = 0; c < stages_.size(); ++c) {
                const float in = audio[c][i];
                float out = in - last_[c];
                for (float& s : stages_[c]) {
                    const float v = gain_ * (out - s), y = v + s;
                    s = y + v;
                    out = 2.0f * y - out;
                }
                last_[c] = out * again;
                audio[c][i] = out * wet + in * dry;
            }
        }
    }

private:
    static constexpr int EVERY = 4;
    static constexpr size_t STAGES = 6;
    double rate_ = 44100.0;
    bool fresh_ = true;
    int count_ = 0;
    float gain_ = 0.0f;
    Swing swing_;
    Glide sweep_, wet_, dry_, again_;
    std::vector<std::array<float, STAGES>> stages_;
    std::vector<float> last_;
};

// Swings the level in time with the song.
struct Tremolo {
    double period = 0.25;
    Knob depth;
    int wave = 0;         // sine, triangle, up, down, square, random, drift
    double spread = 0.0;  // degrees

    void prepare(const RenderContext& context) {
        rate_ = context.rate;
        chances_.assign(static_cast<size_t>(context.channels), Chances());
    }
    void reset() {}
    int latency() const { return 0; }
    double tail_seconds() const { return 0.05; }

    void process(float* const* audio, const BlockContext& now) {
        // Whole frames since the song began, so that a wave with edges turns on the frame it does in a render.
        // Behind a change of tempo it is no whole frame.
        const double exact = now.beat * 60.0 / now.bpm * rate_, whole = std::nearbyint(exact);
        const double start = std::fabs(exact - whole) < 1.0e-4 ? whole : exact;
        for (int i = 0; i < now.frames; ++i) {
            const double cycle = (start + i) / rate_ / period + 0.5, deep = depth.at(now.offset + i);
            for (size_t c = 0; c < chances_.size(); ++c) {
                const double swing = level(cycle + static_cast<double>(c) * spread / 360.0, c);
                audio[c][i] = static_cast<float>(audio[c][i] * (1.0 - deep * (1.0 - swing)));
            }
        }
    }

private:
    double level(double cycle, size_t channel) {
        const double round = std::nearbyint(cycle * 1.0e9) / 1.0e9, at = round - std::floor(round);
        switch (wave) {
            case 0: return 0.5 - 0.5 * std::cos(2.0 * 3.14159265358979323846 * at);
            case 1: return 1.0 - std::abs(2.0 * at - 1.0);
            case 2: return at;
            case 3: return 1.0 - at;
            case 4: return at < 0.5 ? 1.0 : 0.0;
            default: return chances_[channel].at(round, wave == 6);
        }
    }

    double rate_ = 44100.0;
    std::vector<Chances> chances_;
};

}  // namespace mirepoix
