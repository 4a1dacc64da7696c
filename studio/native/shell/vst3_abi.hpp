// The binary interface of VST3, as far as a plugin without a window needs it: the order of virtual functions,
// the layout of structures, and the numbers that name them.
//
// Source: the VST 3 API documentation, https://steinbergmedia.github.io/vst3_doc/

#pragma once

#include <cstdint>
#include <cstring>

#if defined(_WIN32)
#define VST3_CALL __stdcall
#else
#define VST3_CALL
#endif

namespace vst3 {

using Result = std::int32_t;
using Id = char[16];
using Char16 = char16_t;
using String128 = Char16[128];

constexpr Result OK = 0, NO = 1;
#if defined(_WIN32)
constexpr Result NO_INTERFACE = static_cast<Result>(0x80004002u), INVALID = static_cast<Result>(0x80070057u),
                 NOT_IMPLEMENTED = static_cast<Result>(0x80004001u);
#else
constexpr Result NO_INTERFACE = -1, INVALID = 2, NOT_IMPLEMENTED = 3;
#endif

// The sixteen bytes of the name of an interface or a class; Windows keeps them as COM does.
struct Name {
    char bytes[16];
    explicit Name(const unsigned char* plain) : bytes() {
        for (int index = 0; index < 16; ++index) bytes[index] = static_cast<char>(plain[index < 8 ? ORDER[index] : index]);
    }
    constexpr Name(std::uint32_t one, std::uint32_t two, std::uint32_t three, std::uint32_t four) : bytes() {
        const std::uint32_t words[4] = {one, two, three, four};
        for (int index = 0; index < 16; ++index)
            bytes[index] = static_cast<char>(words[index / 4] >> (24 - 8 * (index % 4)) & 0xFF);
        for (int index = 0; index < 8; ++index)
            bytes[index] = static_cast<char>(words[ORDER[index] / 4] >> (24 - 8 * (ORDER[index] % 4)) & 0xFF);
    }
    bool is(const char* id) const { return std::memcmp(bytes, id, 16) == 0; }

  private:
#if defined(_WIN32)
    static constexpr int ORDER[8] = {3, 2, 1, 0, 5, 4, 7, 6};
#else
    static constexpr int ORDER[8] = {0, 1, 2, 3, 4, 5, 6, 7};
#endif
};

struct Unknown {
    static constexpr Name NAME{0x00000000, 0x00000000, 0xC0000000, 0x00000046};
    virtual Result VST3_CALL queryInterface(const Id id, void** object) = 0;
    virtual std::uint32_t VST3_CALL addRef() = 0;
    virtual std::uint32_t VST3_CALL release() = 0;
};

struct Stream : Unknown {
    virtual Result VST3_CALL read(void* buffer, std::int32_t bytes, std::int32_t* done) = 0;
    virtual Result VST3_CALL write(void* buffer, std::int32_t bytes, std::int32_t* done) = 0;
    virtual Result VST3_CALL seek(std::int64_t position, std::int32_t mode, std::int64_t* result) = 0;
    virtual Result VST3_CALL tell(std::int64_t* position) = 0;
};

// Factory

struct FactoryInfo {
    char vendor[64], url[256], email[128];
    std::int32_t flags;
};
constexpr std::int32_t FACTORY_UNICODE = 1 << 4;

struct ClassInfo {
    Id id;
    std::int32_t cardinality;
    char category[32], name[64];
};
struct ClassInfo2 {
    Id id;
    std::int32_t cardinality;
    char category[32], name[64];
    std::uint32_t flags;
    char kinds[128], vendor[64], version[64], sdk[64];
};
struct ClassInfoW {
    Id id;
    std::int32_t cardinality;
    char category[32];
    Char16 name[64];
    std::uint32_t flags;
    char kinds[128];
    Char16 vendor[64], version[64], sdk[64];
};
constexpr std::int32_t MANY_INSTANCES = 0x7FFFFFFF;

struct Factory : Unknown {
    static constexpr Name NAME{0x7A4D811C, 0x52114A1F, 0xAED9D2EE, 0x0B43BF9F};
    virtual Result VST3_CALL getFactoryInfo(FactoryInfo* info) = 0;
    virtual std::int32_t VST3_CALL countClasses() = 0;
    virtual Result VST3_CALL getClassInfo(std::int32_t index, ClassInfo* info) = 0;
    virtual Result VST3_CALL createInstance(const char* id, const char* interface, void** object) = 0;
};
struct Factory2 : Factory {
    static constexpr Name NAME{0x0007B650, 0xF24B4C0B, 0xA464EDB9, 0xF00B2ABB};
    virtual Result VST3_CALL getClassInfo2(std::int32_t index, ClassInfo2* info) = 0;
};
struct Factory3 : Factory2 {
    static constexpr Name NAME{0x4555A2AB, 0xC1234E57, 0x9B122910, 0x36878931};
    virtual Result VST3_CALL getClassInfoUnicode(std::int32_t index, ClassInfoW* info) = 0;
    virtual Result VST3_CALL setHostContext(Unknown* context) = 0;
};

// Component

enum Media : std::int32_t { AUDIO = 0, EVENT = 1 };
enum Direction : std::int32_t { INPUT = 0, OUTPUT = 1 };
enum BusKind : std::int32_t { MAIN = 0, AUXILIARY = 1 };

struct BusInfo {
    std::int32_t media, direction, channels;
    String128 name;
    std::int32_t kind;
    std::uint32_t flags;
};
constexpr std::uint32_t BUS_ACTIVE = 1;

struct RoutingInfo {
    std::int32_t media, bus, channel;
};

struct Base : Unknown {
    static constexpr Name NAME{0x22888DDB, 0x156E45AE, 0x8358B348, 0x08190625};
    virtual Result VST3_CALL initialize(Unknown* context) = 0;
    virtual Result VST3_CALL terminate() = 0;
};

struct Component : Base {
    static constexpr Name NAME{0xE831FF31, 0xF2D54301, 0x928EBBEE, 0x25697802};
    virtual Result VST3_CALL getControllerClassId(Id id) = 0;
    virtual Result VST3_CALL setIoMode(std::int32_t mode) = 0;
    virtual std::int32_t VST3_CALL getBusCount(std::int32_t media, std::int32_t direction) = 0;
    virtual Result VST3_CALL getBusInfo(std::int32_t media, std::int32_t direction, std::int32_t index, BusInfo& info) = 0;
    virtual Result VST3_CALL getRoutingInfo(RoutingInfo& in, RoutingInfo& out) = 0;
    virtual Result VST3_CALL activateBus(std::int32_t media, std::int32_t direction, std::int32_t index, std::uint8_t on) = 0;
    virtual Result VST3_CALL setActive(std::uint8_t on) = 0;
    virtual Result VST3_CALL setState(Stream* state) = 0;
    virtual Result VST3_CALL getState(Stream* state) = 0;
};

// Processor

using Arrangement = std::uint64_t;
constexpr Arrangement MONO = 1 << 19, STEREO = 3;

struct Setup {
    std::int32_t mode, sample_size, most_frames;
    double rate;
};
struct Buses {
    std::int32_t channels;
    std::uint64_t silent;
    float** samples;
};

struct Queue : Unknown {
    virtual std::uint32_t VST3_CALL getParameterId() = 0;
    virtual std::int32_t VST3_CALL getPointCount() = 0;
    virtual Result VST3_CALL getPoint(std::int32_t index, std::int32_t& offset, double& value) = 0;
    virtual Result VST3_CALL addPoint(std::int32_t offset, double value, std::int32_t& index) = 0;
};
struct Changes : Unknown {
    virtual std::int32_t VST3_CALL getParameterCount() = 0;
    virtual Queue* VST3_CALL getParameterData(std::int32_t index) = 0;
    virtual Queue* VST3_CALL addParameterData(const std::uint32_t& id, std::int32_t& index) = 0;
};

struct Context {
    std::uint32_t state;
    double rate;
    std::int64_t project_frames, system_time, continuous_frames;
    double beat, bar_beat, cycle_start, cycle_end, bpm;
    std::int32_t meter_upper, meter_lower;
    std::uint8_t chord_key, chord_root;
    std::int16_t chord_mask;
    std::int32_t smpte_offset;
    std::uint32_t frame_rate, frame_flags;
    std::int32_t to_next_clock;
};
constexpr std::uint32_t PLAYING = 1 << 1, HAS_BEAT = 1 << 9, HAS_TEMPO = 1 << 10, HAS_METER = 1 << 13;

struct Event {
    std::int32_t bus, offset;
    double beat;
    std::uint16_t flags, kind;
    union {
        struct {
            std::int16_t channel, key;
            float tuning, velocity;
            std::int32_t length, note;
        } on;
        struct {
            std::int16_t channel, key;
            float velocity;
            std::int32_t note;
            float tuning;
        } off;
        struct {
            std::int16_t channel, key;
            float pressure;
            std::int32_t note;
        } pressed;
        struct {
            std::uint32_t kind;
            std::int32_t note;
            double value;
        } expressed;
        double room[3];
    };
};
constexpr std::uint16_t NOTE_ON = 0, NOTE_OFF = 1, KEY_PRESSED = 3, NOTE_EXPRESSED = 4;

struct Events : Unknown {
    virtual std::int32_t VST3_CALL getEventCount() = 0;
    virtual Result VST3_CALL getEvent(std::int32_t index, Event& event) = 0;
    virtual Result VST3_CALL addEvent(Event& event) = 0;
};

struct Block {
    std::int32_t mode, sample_size, frames, input_buses, output_buses;
    Buses *inputs, *outputs;
    Changes *changes, *changes_out;
    Events *events, *events_out;
    Context* context;
};

struct AudioProcessor : Unknown {
    static constexpr Name NAME{0x42043F99, 0xB7DA453C, 0xA569E79D, 0x9AAEC33D};
    virtual Result VST3_CALL setBusArrangements(Arrangement* in, std::int32_t ins, Arrangement* out, std::int32_t outs) = 0;
    virtual Result VST3_CALL getBusArrangement(std::int32_t direction, std::int32_t index, Arrangement& arrangement) = 0;
    virtual Result VST3_CALL canProcessSampleSize(std::int32_t size) = 0;
    virtual std::uint32_t VST3_CALL getLatencySamples() = 0;
    virtual Result VST3_CALL setupProcessing(Setup& setup) = 0;
    virtual Result VST3_CALL setProcessing(std::uint8_t on) = 0;
    virtual Result VST3_CALL process(Block& block) = 0;
    virtual std::uint32_t VST3_CALL getTailSamples() = 0;
};

struct ContextRequirements : Unknown {
    static constexpr Name NAME{0x2A654303, 0xEF764E3D, 0x95B5FE83, 0x730EF6D0};
    virtual std::uint32_t VST3_CALL getProcessContextRequirements() = 0;
};
constexpr std::uint32_t NEED_BEAT = 1 << 2, NEED_TEMPO = 1 << 5, NEED_METER = 1 << 6, NEED_TRANSPORT = 1 << 10;

// Controller

struct ParameterInfo {
    std::uint32_t id;
    String128 title, short_title, units;
    std::int32_t steps;
    double initial;
    std::int32_t unit;
    std::int32_t flags;
};
constexpr std::int32_t AUTOMATES = 1 << 0, LIST = 1 << 3, HIDDEN = 1 << 4, CHANGES_PROGRAM = 1 << 15, BYPASSES = 1 << 16;

struct Controller : Base {
    static constexpr Name NAME{0xDCD7BBE3, 0x7742448D, 0xA874AACC, 0x979C759E};
    virtual Result VST3_CALL setComponentState(Stream* state) = 0;
    virtual Result VST3_CALL setState(Stream* state) = 0;
    virtual Result VST3_CALL getState(Stream* state) = 0;
    virtual std::int32_t VST3_CALL getParameterCount() = 0;
    virtual Result VST3_CALL getParameterInfo(std::int32_t index, ParameterInfo& info) = 0;
    virtual Result VST3_CALL getParamStringByValue(std::uint32_t id, double position, Char16* text) = 0;
    virtual Result VST3_CALL getParamValueByString(std::uint32_t id, Char16* text, double& position) = 0;
    virtual double VST3_CALL normalizedParamToPlain(std::uint32_t id, double position) = 0;
    virtual double VST3_CALL plainParamToNormalized(std::uint32_t id, double value) = 0;
    virtual double VST3_CALL getParamNormalized(std::uint32_t id) = 0;
    virtual Result VST3_CALL setParamNormalized(std::uint32_t id, double position) = 0;
    virtual Result VST3_CALL setComponentHandler(Unknown* handler) = 0;
    virtual void* VST3_CALL createView(const char* name) = 0;
};

// Which parameter a MIDI controller turns; 129 is the pitch wheel.
struct MidiMapping : Unknown {
    static constexpr Name NAME{0xDF0FF9F7, 0x49B74669, 0xB63AB732, 0x7ADBF5E5};
    virtual Result VST3_CALL getMidiControllerAssignment(std::int32_t bus, std::int16_t channel, std::int16_t controller,
                                                         std::uint32_t& id) = 0;
};
constexpr std::int16_t PRESSURE = 128, PITCH_WHEEL = 129;

struct Handler : Unknown {
    static constexpr Name NAME{0x93A0BEA3, 0x0BD045DB, 0x8E890B0C, 0xC1E46AC6};
    virtual Result VST3_CALL beginEdit(std::uint32_t id) = 0;
    virtual Result VST3_CALL performEdit(std::uint32_t id, double position) = 0;
    virtual Result VST3_CALL endEdit(std::uint32_t id) = 0;
    virtual Result VST3_CALL restartComponent(std::int32_t flags) = 0;
};
constexpr std::int32_t VALUES_CHANGED = 1 << 1;

// Groups of parameters, and lists of programs.
struct UnitDescription {
    std::int32_t id, parent;
    String128 name;
    std::int32_t programs;
};
struct ProgramList {
    std::int32_t id;
    String128 name;
    std::int32_t count;
};
constexpr std::int32_t ROOT = 0, NO_PARENT = -1, NO_PROGRAMS = -1;

struct Units : Unknown {
    static constexpr Name NAME{0x3D4BD6B5, 0x913A4FD2, 0xA886E768, 0xA5EB92C1};
    virtual std::int32_t VST3_CALL getUnitCount() = 0;
    virtual Result VST3_CALL getUnitInfo(std::int32_t index, UnitDescription& info) = 0;
    virtual std::int32_t VST3_CALL getProgramListCount() = 0;
    virtual Result VST3_CALL getProgramListInfo(std::int32_t index, ProgramList& info) = 0;
    virtual Result VST3_CALL getProgramName(std::int32_t list, std::int32_t index, Char16* name) = 0;
    virtual Result VST3_CALL getProgramInfo(std::int32_t list, std::int32_t index, const char* attribute, Char16* value) = 0;
    virtual Result VST3_CALL hasProgramPitchNames(std::int32_t list, std::int32_t index) = 0;
    virtual Result VST3_CALL getProgramPitchName(std::int32_t list, std::int32_t index, std::int16_t key, Char16* name) = 0;
    virtual std::int32_t VST3_CALL getSelectedUnit() = 0;
    virtual Result VST3_CALL selectUnit(std::int32_t unit) = 0;
    virtual Result VST3_CALL getUnitByBus(std::int32_t media, std::int32_t direction, std::int32_t bus, std::int32_t channel, std::int32_t& unit) = 0;
    virtual Result VST3_CALL setUnitProgramData(std::int32_t list, std::int32_t index, Stream* data) = 0;
};

// What can be moved of a single note.
struct NoteExpression {
    std::uint32_t id;
    String128 title, short_title, units;
    std::int32_t unit;
    double initial, low, high;
    std::int32_t steps;
    std::uint32_t parameter;
    std::int32_t flags;
};
constexpr std::uint32_t NOTE_VOLUME = 0, NOTE_TUNING = 2;

struct NoteExpressions : Unknown {
    static constexpr Name NAME{0xB7F8F859, 0x41234872, 0x91169581, 0x4F3721A3};
    virtual std::int32_t VST3_CALL getNoteExpressionCount(std::int32_t bus, std::int16_t channel) = 0;
    virtual Result VST3_CALL getNoteExpressionInfo(std::int32_t bus, std::int16_t channel, std::int32_t index, NoteExpression& info) = 0;
    virtual Result VST3_CALL getNoteExpressionStringByValue(std::int32_t bus, std::int16_t channel, std::uint32_t id, double value, Char16* text) = 0;
    virtual Result VST3_CALL getNoteExpressionValueByString(std::int32_t bus, std::int16_t channel, std::uint32_t id, const Char16* text, double& value) = 0;
};

}  // namespace vst3
