// Second-order filters in double precision, after Robert Bristow-Johnson's Audio EQ Cookbook.

#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "context.hpp"

namespace mirepoix {

constexpr double BUTTERWORTH = 0.70710678118654757;

struct Biquad {
    double b0 = 1.0, b1 = 0.0, b2 = 0.0, a1 = 0.0, a2 = 0.0;
};

enum class Band { lowpass, highpass, bell, low_shelf, high_shelf };

inline Biquad biquad(Band band, double hz, double q, double gain_db, double rate) {
    const double w = 2.0 * 3.14159265358979323846 * std::min(hz, 0.49 * rate) / rate;
    const double c = std::cos(w), alpha = std::sin(w) / (2.0 * q), a = std::pow(10.0, gain_db / 40.0);
    double b[3], d[3] = {1.0 + alpha, -2.0 * c, 1.0 - alpha};
    if (band == Band::lowpass) {
        b[0] = b[2] = (1.0 - c) / 2.0, b[1] = 1.0 - c;
    } else if (band == Band::highpass) {
        b[0] = b[2] = (1.0 + c) / 2.0, b[1] = -1.0 - c;
    } else if (band == Band::bell) {
        b[0] = 1.0 + alpha * a, b[1] = -2.0 * c, b[2] = 1.0 - alpha * a;
        d[0] = 1.0 + alpha / a, d[2] = 1.0 - alpha / a;
    } else {
        const double side = band == Band::low_shelf ? 1.0 : -1.0, root = 2.0 * std::sqrt(a) * alpha;
        const double more = a + 1.0, tilt = side * (a - 1.0) * c;
        b[0] = a * (more - tilt + root);
        b[1] = side * 2.0 * a * ((a - 1.0) - side * more * c);
        b[2] = a * (more - tilt - root);
        d[0] = more + tilt + root;
        d[1] = -side * 2.0 * ((a - 1.0) + side * more * c);
        d[2] = more + tilt - root;
    }
    return {b[0] / d[0], b[1] / d[0], b[2] / d[0], d[1] / d[0], d[2] / d[0]};
}

// Sections in a row, which may change between calls.
template <size_t sections>
class Cascade {
public:
    void prepare(int channels) { state_.assign(static_cast<size_t>(channels), {}); }
    void reset() { std::fill(state_.begin(), state_.end(), std::array<std::array<double, 2>, sections>{}); }

    std::array<Biquad, sections> shape{};

    double operator()(size_t channel, double x) {
        for (size_t i = 0; i < sections; ++i) {
            const Biquad& s = shape[i];
            auto& z = state_[channel][i];
            const double y = s.b0 * x + z[0];
            z[0] = s.b1 * x - s.a1 * y + z[1];
            z[1] = s.b2 * x - s.a2 * y;
            x = y;
        }
        return x;
    }

private:
    std::vector<std::array<std::array<double, 2>, sections>> state_;
};

}  // namespace mirepoix
