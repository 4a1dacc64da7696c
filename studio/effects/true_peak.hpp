// How high a sound goes between its samples: four times as many of them, by two half-band filters, as pedalboard's limiter
// looks at it (JUCE's oversampling, which designs them after P. Zahradnik, M. Vlcek, R. Unbehauen, "Almost equiripple FIR
// half-band filters", IEEE TCAS-I 46, 1999: 90 dB down behind a transition of 0.05, and 80 dB behind one of 0.1).

#pragma once

#include <algorithm>
#include <cmath>

namespace mirepoix {

// Every other tap of a half-band filter up to its middle; the ones between are zero, and the middle is a half.
inline constexpr float FIRST_HALF_BAND[] = {
    -1.4413643e-05f, 2.5607165e-05f, -4.7589747e-05f, 8.118036e-05f, -1.3035077e-04f, 1.9990013e-04f,
    -2.9552786e-04f, 4.239034e-04f, -5.9273484e-04f, 8.108434e-04f, -1.0882538e-03f, 1.4363151e-03f,
    -1.8678783e-03f, 2.3975645e-03f, -3.0421799e-03f, 3.8213583e-03f, -4.758564e-03f, 5.882662e-03f,
    -7.2304066e-03f, 8.850468e-03f, -1.0810113e-02f, 1.3206716e-02f, -1.6188595e-02f, 1.9995173e-02f,
    -2.5041008e-02f, 3.211187e-02f, -4.2896904e-02f, 6.1797757e-02f, -1.0497363e-01f, 3.1792507e-01f,
};
inline constexpr float SECOND_HALF_BAND[] = {
    9.49577e-05f, -3.0650696e-04f, 7.6438935e-04f, -1.6196423e-03f, 3.078897e-03f, -5.412098e-03f,
    8.9783035e-03f, -1.4292589e-02f, 2.2204958e-02f, -3.4418363e-02f, 5.5289645e-02f, -1.0087406e-01f,
    3.165121e-01f,
};

// Twice as many samples.
template <const auto& HALF_BAND>
class Doubler {
    static constexpr int TAPS = sizeof HALF_BAND / sizeof HALF_BAND[0];

  public:
    void reset() {
        std::fill(std::begin(held_), std::end(held_), 0.0f);
        at_ = 0;
    }
    void operator()(float in, float& even, float& odd) {
        at_ = (at_ + 2 * TAPS - 1) % (2 * TAPS);
        held_[at_] = held_[at_ + 2 * TAPS] = 2.0f * in;
        const float* const heard = held_ + at_;  // the newest first
        even = 0.0f;
        for (int k = 0; k < TAPS; ++k) even += (heard[2 * TAPS - 1 - k] + heard[k]) * HALF_BAND[k];
        odd = heard[TAPS - 1] * 0.5f;
    }

  private:
    float held_[4 * TAPS] = {};
    int at_ = 0;
};

class TruePeak {
  public:
    static constexpr int LATENCY = 60;  // of the whole way up and down, which pedalboard's limiter waits for

    void reset() {
        first_.reset();
        second_.reset();
    }
    float operator()(float in) {
        float twice[2], four[4];
        first_(in, twice[0], twice[1]);
        second_(twice[0], four[0], four[1]);
        second_(twice[1], four[2], four[3]);
        float peak = 0.0f;
        for (float sample : four) peak = std::max(peak, std::fabs(sample));
        return peak;
    }

  private:
    Doubler<FIRST_HALF_BAND> first_;
    Doubler<SECOND_HALF_BAND> second_;
};

}  // namespace mirepoix
