// What a DAW keeps with a song: where the parameters stand, by their ids, and the recipe they belonged to.
//
// A parameter that a state does not know stays where it is, and one that the plugin does not have is passed over,
// so a song made with an earlier export of the same plugin still opens.

#pragma once

#include "plugin.hpp"

#include <atomic>
#include <cstring>
#include <vector>

namespace mirepoix {

// Values as the host sees them, and whether the chain is bypassed; any thread may read and write them.
class Settings {
  public:
    Settings() : values_(static_cast<std::size_t>(PLUGIN.count)) {
        for (int index = 0; index < PLUGIN.count; ++index) set(index, PLUGIN.parameters[index].initial);
    }
    double value(int parameter) const { return values_[static_cast<std::size_t>(parameter)].load(RELAXED); }
    void set(int parameter, double value) { values_[static_cast<std::size_t>(parameter)].store(value, RELAXED); }
    bool bypassed() const { return bypassed_.load(RELAXED); }
    void bypass(bool bypassed) { bypassed_.store(bypassed, RELAXED); }

    std::vector<char> save() const {
        std::vector<char> bytes(MAGIC, MAGIC + 8);
        const auto put = [&](const void* from, std::size_t size) {
            const char* first = static_cast<const char*>(from);
            bytes.insert(bytes.end(), first, first + size);
        };
        char recipe[64] = {};
        std::strncpy(recipe, PLUGIN.recipe, sizeof recipe);
        put(recipe, sizeof recipe);
        const std::uint32_t bypassed = this->bypassed(), count = static_cast<std::uint32_t>(PLUGIN.count);
        put(&bypassed, sizeof bypassed);
        put(&count, sizeof count);
        for (int index = 0; index < PLUGIN.count; ++index) {
            const double value = this->value(index);
            put(&PLUGIN.parameters[index].id, sizeof(std::uint32_t));
            put(&value, sizeof value);
        }
        return bytes;
    }

    // False, and nothing changed, when it is not a state of a plugin like this one.
    bool load(const char* bytes, std::size_t size) {
        constexpr std::size_t head = 8 + 64, entry = sizeof(std::uint32_t) + sizeof(double);
        std::uint32_t bypassed = 0, count = 0;
        if (size < head + 8 || std::memcmp(bytes, MAGIC, 8) != 0) return false;
        std::memcpy(&bypassed, bytes + head, 4);
        std::memcpy(&count, bytes + head + 4, 4);
        if ((size - head - 8) / entry < count) return false;
        for (std::uint32_t index = 0; index < count; ++index) {
            std::uint32_t id = 0;
            double value = 0.0;
            std::memcpy(&id, bytes + head + 8 + index * entry, sizeof id);
            std::memcpy(&value, bytes + head + 8 + index * entry + sizeof id, sizeof value);
            for (int parameter = 0; parameter < PLUGIN.count; ++parameter) {
                const Parameter& known = PLUGIN.parameters[parameter];
                if (known.id == id && std::isfinite(value)) set(parameter, std::fmin(std::fmax(value, known.low), known.high));
            }
        }
        bypass(bypassed != 0);
        return true;
    }

  private:
    static constexpr const char* MAGIC = "mirepx1\n";
    static constexpr auto RELAXED = std::memory_order_relaxed;
    std::vector<std::atomic<double>> values_;
    std::atomic<bool> bypassed_{false};
};

}  // namespace mirepoix
