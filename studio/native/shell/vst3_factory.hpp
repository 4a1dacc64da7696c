// What the host finds in the library: one class, of which it makes as many plugins as it likes.

#pragma once

#include "plugin.hpp"
#include "text.hpp"
#include "vst3_abi.hpp"

#include <cstring>

namespace vst3 {

using namespace mirepoix;

template <class Plugin>
class PluginFactory final : public Factory3 {
  public:
    Result VST3_CALL queryInterface(const Id id, void** object) override {
        const bool known = Unknown::NAME.is(id) || Factory::NAME.is(id) || Factory2::NAME.is(id) || Factory3::NAME.is(id);
        *object = known ? this : nullptr;
        return known ? OK : NO_INTERFACE;
    }
    // It lives as long as the library.
    std::uint32_t VST3_CALL addRef() override { return 1; }
    std::uint32_t VST3_CALL release() override { return 1; }

    Result VST3_CALL getFactoryInfo(FactoryInfo* info) override {
        *info = {};
        fit(PLUGIN.vendor, info->vendor, sizeof info->vendor);
        fit(PLUGIN.url, info->url, sizeof info->url);
        info->flags = FACTORY_UNICODE;
        return OK;
    }
    std::int32_t VST3_CALL countClasses() override { return 1; }
    Result VST3_CALL getClassInfo(std::int32_t index, ClassInfo* info) override { return describe(index, *info); }
    Result VST3_CALL getClassInfo2(std::int32_t index, ClassInfo2* info) override {
        if (describe(index, *info) != OK) return INVALID;
        fit(PLUGIN.category, info->kinds, sizeof info->kinds);
        fit(PLUGIN.vendor, info->vendor, sizeof info->vendor);
        fit(PLUGIN.version, info->version, sizeof info->version);
        fit(SDK, info->sdk, sizeof info->sdk);
        return OK;
    }
    Result VST3_CALL getClassInfoUnicode(std::int32_t index, ClassInfoW* info) override {
        ClassInfo plain;
        if (describe(index, plain) != OK) return INVALID;
        *info = {};
        std::memcpy(info->id, plain.id, sizeof info->id);
        info->cardinality = plain.cardinality;
        fit(plain.category, info->category, sizeof info->category);
        widen(PLUGIN.name, info->name, 64);
        fit(PLUGIN.category, info->kinds, sizeof info->kinds);
        widen(PLUGIN.vendor, info->vendor, 64);
        widen(PLUGIN.version, info->version, 64);
        widen(SDK, info->sdk, 64);
        return OK;
    }
    Result VST3_CALL setHostContext(Unknown*) override { return OK; }
    Result VST3_CALL createInstance(const char* id, const char* interface, void** object) override {
        *object = nullptr;
        if (!Name(PLUGIN.id).is(id)) return INVALID;
        Plugin* plugin = new Plugin;
        const Result result = plugin->queryInterface(interface, object);
        plugin->release();
        return result;
    }

  private:
    static constexpr const char* SDK = "VST 3.7";

    template <class Info>
    static Result describe(std::int32_t index, Info& info) {
        if (index != 0) return INVALID;
        info = {};
        std::memcpy(info.id, Name(PLUGIN.id).bytes, sizeof info.id);
        info.cardinality = MANY_INSTANCES;
        fit("Audio Module Class", info.category, sizeof info.category);
        fit(PLUGIN.name, info.name, sizeof info.name);
        return OK;
    }
};

}  // namespace vst3
