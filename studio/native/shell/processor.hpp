// The host's blocks, cut into the cells of the grid: parameters glide over the cell after the one they were turned in.

#pragma once

#include "chain.hpp"
#include "plugin.hpp"
#include "studio/native/core/subnormals.hpp"

#include <cmath>
#include <vector>

namespace mirepoix {

template <class Chain>
class Running final : public Processor {
  public:
    Running() {
        for (int index = 0; index < PLUGIN.count; ++index) targets_.push_back(PLUGIN.parameters[index].initial);
        transport_.bpm = PLUGIN.bpm;
        transport_.bar = PLUGIN.bar;
    }

    void prepare(double rate, int channels) override {
        stage_ = {rate, channels};
        Point start;
        start.knobs = targets_.data();
        start.bpm = transport_.bpm;
        start.bar = transport_.bar;
        latency_ = chain_.prepare(stage_, 0, start);
        timeline_.prepare(PLUGIN.count, latency_);
        dry_.prepare(channels, latency_);
        begin();
    }
    void reset() override {
        chain_.reset();
        dry_.reset();
        begin();
    }

    int latency() const override { return latency_; }
    double tail_seconds() const override { return chain_.tail_seconds(); }
    void set(int parameter, double value) override { targets_[static_cast<std::size_t>(parameter)] = value; }
    void bypass(bool bypassed) override { bypassed_ = bypassed; }
    Transport transport() const override { return transport_; }
    void follow(const Transport& transport) override { transport_ = transport; }

    void process(const float* const* in, float* const* out, const float* const* side, int frames) override {
        const NoSubnormals guard;
        for (int done = 0; done < frames;) {
            const int offset = static_cast<int>(position_ % GRID), length = std::min(frames - done, GRID - offset);
            if (!offset) enter();
            const int channels = stage_.channels;
            const Window<const float> given(in, channels, done), heard(side, side ? channels : 0, done);
            run(given.channel, Window<float>(out, channels, done).channel, side ? heard.channel : nullptr, offset, length);
            position_ += length;
            transport_.beat += length * transport_.bpm / 60.0 / stage_.rate;
            done += length;
        }
    }

  private:
    void begin() {
        position_ = 0;
        transport_.beat = 0.0;
    }

    // Begins a cell. What the parameters say now is where their knobs will stand at its end.
    void enter() {
        const long long cell = position_ / GRID;
        const double state = bypassed_ ? 1.0 : 0.0;
        if (!cell) bypass_.to = state;
        Point point;
        point.knobs = cell ? timeline_.knobs(cell) : targets_.data();
        point.seconds = static_cast<double>(position_) / stage_.rate;
        point.beat = transport_.beat;
        point.bpm = transport_.bpm;
        point.bar = transport_.bar;
        timeline_.note(cell, point);
        point.knobs = targets_.data();
        point.seconds = static_cast<double>(position_ + GRID) / stage_.rate;
        point.beat += GRID * transport_.bpm / 60.0 / stage_.rate;
        timeline_.foresee(cell, point);
        if (bypass_.to == 1.0 && state == 0.0) chain_.reset();
        bypass_ = {bypass_.to, state, 0.0};
    }

    void run(const float* const* in, float* const* out, const float* const* side, int offset, int length) {
        const int channels = stage_.channels;
        const bool dry = bypass_.from > 0.0 || bypass_.to > 0.0, wet = bypass_.from < 1.0 || bypass_.to < 1.0;
        Scratch plain;
        if (dry || latency_) {
            plain.copy(in, channels, length);
            dry_.process(plain.channel, length);
        }
        for (int channel = 0; channel < channels; ++channel)
            if (in[channel] != out[channel]) std::copy_n(in[channel], length, out[channel]);
        if (wet) chain_.process(out, length, {timeline_, position_, side, stage_});
        if (wet && !finite(out, length)) {
            chain_.reset();
            for (int channel = 0; channel < channels; ++channel) std::fill_n(out[channel], length, 0.0f);
        }
        if (!dry) return;
        for (int channel = 0; channel < channels; ++channel)
            for (int frame = 0; frame < length; ++frame) {
                const double share = bypass_.at(offset + frame);
                const float sound = out[channel][frame], sample = plain.samples[channel][frame];
                out[channel][frame] = wet ? static_cast<float>(sound + (sample - sound) * share) : sample;
            }
    }
    bool finite(const float* const* audio, int length) const {
        float sum = 0.0f;
        for (int channel = 0; channel < stage_.channels; ++channel)
            for (int frame = 0; frame < length; ++frame) sum += audio[channel][frame] * 0.0f;
        return sum == 0.0f;
    }

    Chain chain_;
    Timeline timeline_;
    Held dry_;
    RenderContext stage_;
    Transport transport_;
    Knob bypass_;
    std::vector<double> targets_;
    long long position_ = 0;
    int latency_ = 0;
    bool bypassed_ = false;
};

}  // namespace mirepoix
