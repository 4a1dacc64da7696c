// Rooms.

#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>
#include <vector>

#include "convolver.hpp"
#include "glide.hpp"
#include "levels.hpp"
#include "response.hpp"
#include "context.hpp"

namespace mirepoix {

// Eight combs side by side and four all-passes behind them, after Schroeder, Moorer and Freeverb.
struct Reverb {
    Knob room_size, damping, wet, dry, width;
    bool freeze = false;
    double predelay = 0.0;

    void prepare(const RenderContext& context) {
        static constexpr int COMBS[] = {1116, 1188, 1277, 1356, 1422, 1491, 1557, 1617}, PASSES[] = {556, 441, 341, 225};
        channels_ = context.channels;
        const int rate = static_cast<int>(context.rate);
        for (int side = 0; side < 2; ++side) {
            for (int i = 0; i < 8; ++i) combs_[side][i].prepare(rate * (COMBS[i] + 23 * side) / 44100);
            for (int i = 0; i < 4; ++i) passes_[side][i].prepare(rate * (PASSES[i] + 23 * side) / 44100);
        }
        for (Glide* glide : glides()) glide->prepare(context.rate, 0.01);
        before_.prepare(static_cast<int>(std::lround(context.rate * predelay / 1000.0)));
        late_ = std::lround(context.rate * predelay / 1000.0) > 0;
        reset();
    }
    void reset() {
        before_.reset();
        for (int side = 0; side < 2; ++side) {
            for (auto& comb : combs_[side]) comb.reset();
            for (auto& pass : passes_[side]) pass.reset();
        }
        fresh_ = true;
    }
    int latency() const { return 0; }
    double tail_seconds() const { return 1.0 + predelay / 1000.0; }

    void process(float* const* audio, const BlockContext& now) {
        const float level = static_cast<float>(wet.middle()) * 3.0f, wide = static_cast<float>(width.middle());
        through_.to(static_cast<float>(dry.middle()) * 2.0f);
        same_.to(0.5f * level * (1.0f + wide));
        cross_.to(0.5f * level * (1.0f - wide));
        damp_.to(freeze ? 0.0f : static_cast<float>(damping.middle()) * 0.4f);
        again_.to(freeze ? 1.0f : static_cast<float>(room_size.middle()) * 0.28f + 0.7f);
        if (fresh_)
            for (Glide* glide : glides()) glide->settle();
        fresh_ = false;
        const float gain = freeze ? 0.0f : 0.015f;
        for (int i = 0; i < now.frames; ++i) {
            const float damp = damp_.next(), again = again_.next();
            float in = (channels_ == 2 ? audio[0][i] + audio[1][i] : audio[0][i]) * gain;
            if (late_) in = before_(in);
            float out[2] = {0.0f, 0.0f};
            for (int side = 0; side < channels_; ++side) {
                for (auto& comb : combs_[side]) out[side] += comb(in, damp, again);
                for (auto& pass : passes_[side]) out[side] = pass(out[side]);
            }
            const float through = through_.next(), same = same_.next(), cross = cross_.next();
            const float left = out[0] * same + (channels_ == 2 ? out[1] * cross : 0.0f) + audio[0][i] * through;
            if (channels_ == 2) audio[1][i] = out[1] * same + out[0] * cross + audio[1][i] * through;
            audio[0][i] = left;
        }
    }

private:
    class Ring {
    public:
        void prepare(int frames) { held_.assign(static_cast<size_t>(std::max(1, frames)), 0.0f); }
        void reset() {
            std::fill(held_.begin(), held_.end(), 0.0f);
            at_ = 0;
        }

    protected:
        float& now() { return held_[at_]; }
        void on() { at_ = at_ + 1 == held_.size() ? 0 : at_ + 1; }

    private:
        std::vector<float> held_;
        size_t at_ = 0;
    };

    class Wait : public Ring {
    public:
        float operator()(float in) {
            std::swap(in, now());
            on();
            return in;
        }
    };

    // The way around numbers too small to compute with quickly; its rounding belongs to the sound of the render.
    static float lifted(float x) {
        x += 0.1f;
        return x - 0.1f;
    }

    class Comb : public Ring {
    public:
        void reset() {
            Ring::reset();
            last_ = 0.0f;
        }
        float operator()(float in, float damp, float again) {
            const float out = now();
            last_ = lifted(out * (1.0f - damp) + last_ * damp);
            now() = lifted(in + last_ * again);
            on();
            return out;
        }

    private:
        float last_ = 0.0f;
    };

    class Pass : public Ring {
    public:
        float operator()(float in) {
            const float held = now();
            now() = lifted(in + held * 0.5f);
            on();
            return held - in;
        }
    };

    std::array<Glide*, 5> glides() { return {&damp_, &again_, &through_, &same_, &cross_}; }

    int channels_ = 2;
    bool fresh_ = true, late_ = false;
    Wait before_;
    Comb combs_[2][8];
    Pass passes_[2][4];
    Glide damp_, again_, through_, same_, cross_;
};

// A room as it was recorded, at unit energy.
struct Convolution {
    Response file;
    Knob mix, gain;

    void prepare(const RenderContext& context) {
        channels_ = context.channels;
        std::vector<double> taps[2];
        double loudest = 0.0;
        for (int c = 0; c < channels_; ++c) {
            const std::vector<float> at_rate = resampled(channel(c), file.rate, context.rate);
            taps[c].assign(at_rate.begin(), at_rate.end());
            double energy = 0.0;
            for (double tap : taps[c]) energy += tap * tap;
            loudest = std::max(loudest, energy);
        }
        const double unit = loudest < 1e-8 ? 1.0 : 1.0 / std::sqrt(loudest);
        for (int c = 0; c < channels_; ++c)
            for (double& tap : taps[c]) tap *= unit;
        seconds_ = static_cast<double>(taps[0].size()) / context.rate;
        convolver_.prepare(taps, channels_);
    }
    void reset() { convolver_.reset(); }
    int latency() const { return 0; }
    double tail_seconds() const { return seconds_; }

    void process(float* const* audio, const BlockContext& now) {
        float dry[2][GRID];
        for (int i = 0; i < now.frames; ++i) {
            const double wet = mix.at(now.offset + i), level = amplitude(gain.at(now.offset + i)) * wet;
            for (int c = 0; c < channels_; ++c) {
                dry[c][i] = static_cast<float>(audio[c][i] * (1.0 - wet));
                audio[c][i] = static_cast<float>(audio[c][i] * level);
            }
        }
        convolver_.process(audio, now.offset, now.frames);
        for (int c = 0; c < channels_; ++c)
            for (int i = 0; i < now.frames; ++i) audio[c][i] += dry[c][i];
    }

private:
    // What the response says to one channel of the sound.
    std::vector<float> channel(int which) const {
        std::vector<float> taps(static_cast<std::size_t>(file.frames));
        for (int frame = 0; frame < file.frames; ++frame) {
            float& tap = taps[static_cast<std::size_t>(frame)];
            if (channels_ == 1 && file.channels == 2) tap = static_cast<float>((static_cast<double>(file.at(0, frame)) + file.at(1, frame)) / 2.0);
            else tap = file.at(std::min(which, file.channels - 1), frame);
        }
        return taps;
    }

    int channels_ = 2;
    double seconds_ = 0.0;
    Convolver convolver_;
};

}  // namespace mirepoix
