// Decibels as amplitudes.

#pragma once

#include <cmath>

namespace mirepoix {

constexpr double SILENCE_DB = -90.0;

// Exactly 0 at the bottom of every fader and below.
inline double amplitude(double db) { return db <= SILENCE_DB ? 0.0 : std::pow(10.0, db / 20.0); }

// In single precision, as pedalboard's effects take their levels.
inline float single_amplitude(double db, float silence = -100.0f) {
    const float level = static_cast<float>(db);
    return level > silence ? std::pow(10.0f, level * 0.05f) : 0.0f;
}

}  // namespace mirepoix
