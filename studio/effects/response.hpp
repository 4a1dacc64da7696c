// An impulse response as it lies in a plugin, and on its way to the rate at which the plugin runs.
//
// A polyphase low-pass: a sinc of 96 zero crossings on either side under a Kaiser window (beta 12: 118 dB down), its cut-off
// at 0.96 of the lower Nyquist frequency.

#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <vector>

namespace mirepoix {

struct Response {
    int channels = 0, frames = 0;
    double rate = 44100.0;
    const std::int16_t* coarse = nullptr;  // one channel behind the other, full scale at 32768; or,
    const float* fine = nullptr;           // where 16 bits are not enough, as it is

    float at(int channel, int frame) const {
        const std::ptrdiff_t place = static_cast<std::ptrdiff_t>(channel) * frames + frame;
        return coarse ? static_cast<float>(coarse[place]) / 32768.0f : fine[place];
    }
};

// One channel at `rate`.
inline std::vector<float> resampled(const std::vector<float>& given, double from, double to) {
    constexpr double PI = 3.14159265358979323846, CROSSINGS = 96.0, BETA = 12.0, CUTOFF = 0.96;
    const long long source = std::llround(from), target = std::llround(to), common = std::gcd(source, target);
    const long long up = target / common, down = source / common, most = std::max(up, down);
    if (up == down || given.empty()) return given;
    const auto bessel = [](double x) {
        double sum = 1.0, term = 1.0;
        for (int k = 1; term > 1e-17 * sum; ++k) sum += term *= (0.5 * x / k) * (0.5 * x / k);
        return sum;
    };
    const double whole = bessel(BETA);
    const long long half = static_cast<long long>(CROSSINGS) * most, frames = static_cast<long long>(given.size());
    const long long length = (frames * up + down - 1) / down;
    const auto tap = [&](long long place) {
        const double x = CUTOFF * static_cast<double>(place) / static_cast<double>(most);
        const double across = static_cast<double>(place) / static_cast<double>(half);
        const double sinc = place == 0 ? 1.0 : std::sin(PI * x) / (PI * x);
        return CUTOFF * static_cast<double>(up) / static_cast<double>(most) * sinc *
               bessel(BETA * std::sqrt(std::max(0.0, 1.0 - across * across))) / whole;
    };
    std::vector<float> out(static_cast<std::size_t>(length));
    std::vector<double> taps;
    // Frames that are `up` apart have the same taps.
    for (long long phase = 0; phase < std::min(up, length); ++phase) {
        const long long place = phase * down, last = (place + half) / up;
        const long long first = place >= half ? (place - half + up - 1) / up : -((half - place) / up);
        taps.clear();
        for (long long k = first; k <= last; ++k) taps.push_back(tap(place - k * up));
        for (long long n = phase, shift = 0; n < length; n += up, shift += down) {
            double sum = 0.0;
            const long long begin = std::max(first + shift, 0LL), end = std::min(last + shift, frames - 1);
            for (long long k = begin; k <= end; ++k)
                sum += taps[static_cast<std::size_t>(k - shift - first)] * given[static_cast<std::size_t>(k)];
            out[static_cast<std::size_t>(n)] = static_cast<float>(sum);
        }
    }
    return out;
}

}  // namespace mirepoix
