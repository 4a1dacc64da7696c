// A value that goes to its target in a straight line, a step a frame, as JUCE's linear smoothing does.

#pragma once

#include <cmath>

namespace mirepoix {

class Glide {
public:
    void prepare(double rate, double seconds) { frames_ = static_cast<int>(std::floor(seconds * rate)); }

    // Stands at its target from now on.
    void settle() {
        value_ = target_;
        left_ = 0;
    }

    void to(float target) {
        if (target == target_) return;
        target_ = target;
        if (frames_ <= 0) {
            settle();
            return;
        }
        left_ = frames_;
        step_ = (target_ - value_) / static_cast<float>(left_);
    }

    float next() {
        if (left_ <= 0) return target_;
        --left_;
        value_ = left_ > 0 ? value_ + step_ : target_;
        return value_;
    }

private:
    float value_ = 0.0f, target_ = 0.0f, step_ = 0.0f;
    int frames_ = 0, left_ = 0;
};

}  // namespace mirepoix
