// Four samples for one, and back, so that what bends the waveform leaves no mirror images.

#pragma once

#include <array>
#include <cmath>
#include <cstddef>

namespace mirepoix {

// A linear-phase low-pass of 129 taps at four times the rate, under Kaiser's window (beta 10: more than 95 dB), once up and
// once down: 32 frames of latency. Flat to 0.4 of the rate.
class Oversampler {
public:
    static constexpr int FACTOR = 4, TAPS = 129, LATENCY = (TAPS - 1) / FACTOR;

    void reset() {
        in_.fill(0.0);
        out_.fill(0.0);
        at_ = 0;
    }

    // One frame through `bend`, which is given each of four.
    template <typename Bend>
    double operator()(double x, const Bend& bend) {
        const auto& taps = kernel();
        at_ = at_ == 0 ? ROWS - 1 : at_ - 1;
        in_[at_] = in_[at_ + ROWS] = x;
        double y = 0.0;
        for (std::size_t phase = 0; phase < FACTOR; ++phase) {
            double up = 0.0;
            for (std::size_t row = 0, tap = phase; tap < TAPS; ++row, tap += FACTOR) up += taps[tap] * in_[at_ + row];
            out_[phase * 2 * ROWS + at_] = out_[phase * 2 * ROWS + at_ + ROWS] = bend(FACTOR * up);
        }
        // The newest of the four is heard last: what is given out belongs to the first of them.
        for (std::size_t tap = 0; tap < TAPS; ++tap) {
            const std::size_t phase = (FACTOR - tap % FACTOR) % FACTOR, row = (tap + FACTOR - 1) / FACTOR;
            y += taps[tap] * out_[phase * 2 * ROWS + at_ + row];
        }
        return y;
    }

private:
    static constexpr std::size_t ROWS = (TAPS + FACTOR - 1) / FACTOR + 1;

    static const std::array<double, TAPS>& kernel() {
        static const std::array<double, TAPS> made = [] {
            std::array<double, TAPS> taps{};
            double sum = 0.0;
            for (int i = 0; i < TAPS; ++i) {
                const double middle = (TAPS - 1) / 2.0, from = i - middle, place = from / middle;
                const double sinc = from == 0.0 ? 1.0 : std::sin(PI * from / FACTOR) / (PI * from / FACTOR);
                taps[static_cast<std::size_t>(i)] = sinc * bessel(BETA * std::sqrt(1.0 - place * place)) / bessel(BETA);
                sum += taps[static_cast<std::size_t>(i)];
            }
            for (double& tap : taps) tap /= sum;
            return taps;
        }();
        return made;
    }

    // The modified Bessel function of the first kind and order zero, by its series.
    static double bessel(double x) {
        double sum = 1.0, term = 1.0;
        for (int k = 1; k < 60; ++k) {
            term *= (x / (2.0 * k)) * (x / (2.0 * k));
            sum += term;
        }
        return sum;
    }

    static constexpr double PI = 3.14159265358979323846, BETA = 10.0;

    std::array<double, 2 * ROWS> in_{};
    std::array<double, FACTOR * 2 * ROWS> out_{};
    std::size_t at_ = 0;
};

}  // namespace mirepoix
