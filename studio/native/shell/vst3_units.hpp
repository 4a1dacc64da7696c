// Steps as units, which hosts show as groups, and presets as the one list of programs.

#pragma once

#include "plugin.hpp"
#include "text.hpp"
#include "vst3_abi.hpp"

#include <algorithm>
#include <cstring>
#include <vector>

namespace vst3 {

using namespace mirepoix;

constexpr std::int32_t PROGRAMS = 1;  // the only list of them

class UnitList : public Units {
  public:
    UnitList() {
        for (int index = 0; index < PLUGIN.count; ++index)
            if (unit_of(PLUGIN.parameters[index].group) < 0) groups_.push_back(PLUGIN.parameters[index].group);
    }

    std::int32_t VST3_CALL getUnitCount() override { return 1 + static_cast<std::int32_t>(groups_.size()); }
    Result VST3_CALL getUnitInfo(std::int32_t index, UnitDescription& info) override {
        if (index < 0 || index >= getUnitCount()) return INVALID;
        info = {};
        info.id = index;
        info.parent = index ? ROOT : NO_PARENT;
        info.programs = !index && list_size() ? PROGRAMS : NO_PROGRAMS;
        widen(index ? groups_[static_cast<std::size_t>(index) - 1] : "Root", info.name, 128);
        return OK;
    }
    std::int32_t VST3_CALL getProgramListCount() override { return list_size(); }
    Result VST3_CALL getProgramListInfo(std::int32_t index, ProgramList& info) override {
        if (index < 0 || index >= list_size()) return INVALID;
        info = {};
        info.id = PROGRAMS;
        info.count = PLUGIN.preset_count;
        widen("Presets", info.name, 128);
        return OK;
    }
    Result VST3_CALL getProgramName(std::int32_t list, std::int32_t index, Char16* name) override {
        if (!list_size() || list != PROGRAMS || index < 0 || index >= PLUGIN.preset_count) return INVALID;
        widen(PLUGIN.presets[index].name, name, 128);
        return OK;
    }
    Result VST3_CALL getProgramInfo(std::int32_t, std::int32_t, const char*, Char16*) override { return NO; }
    Result VST3_CALL hasProgramPitchNames(std::int32_t, std::int32_t) override { return NO; }
    Result VST3_CALL getProgramPitchName(std::int32_t, std::int32_t, std::int16_t, Char16*) override { return NO; }
    std::int32_t VST3_CALL getSelectedUnit() override { return ROOT; }
    Result VST3_CALL selectUnit(std::int32_t) override { return OK; }
    Result VST3_CALL getUnitByBus(std::int32_t, std::int32_t, std::int32_t, std::int32_t, std::int32_t& unit) override {
        unit = ROOT;
        return OK;
    }
    Result VST3_CALL setUnitProgramData(std::int32_t, std::int32_t, Stream*) override { return NO; }

  protected:
    // How many lists of programs there are.
    static int list_size() { return PLUGIN.preset_count > 1 ? 1 : 0; }
    static int program(double position) {
        return static_cast<int>(std::clamp(position, 0.0, 1.0) * (PLUGIN.preset_count - 1) + 0.5);
    }
    // Of a group that is not known, -1.
    std::int32_t unit_of(const char* group) const {
        if (!*group) return ROOT;
        for (std::size_t index = 0; index < groups_.size(); ++index)
            if (!std::strcmp(groups_[index], group)) return static_cast<std::int32_t>(index) + 1;
        return -1;
    }

  private:
    std::vector<const char*> groups_;
};

}  // namespace vst3
