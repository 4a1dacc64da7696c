// A plugin for testing hosts. It is a delay line with a gain, and misbehaves as the name of its binary says:
// copies of one build under other names are other plugins.

#include <juce_audio_processors/juce_audio_processors.h>

#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

namespace {

juce::String temper() {
    return juce::File::getSpecialLocation(juce::File::currentExecutableFile).getFileNameWithoutExtension();
}

[[noreturn]] void crash() {
    std::fputs("these are my last words\n", stderr);
    std::fflush(stderr);
    volatile int* nowhere = nullptr;
    *nowhere = 1;
    std::abort();
}

class Hostile : public juce::AudioProcessor {
public:
    Hostile()
        : AudioProcessor(BusesProperties()
                             .withInput("In", juce::AudioChannelSet::stereo())
                             .withOutput("Out", juce::AudioChannelSet::stereo())),
          nature(temper()), born(juce::Time::getMillisecondCounterHiRes()) {
        addParameter(amount = new juce::AudioParameterFloat({"amount", 1}, "Amount", 0.0f, 1.0f, 1.0f));
        addParameter(delay = new juce::AudioParameterFloat(
                         {"delay", 1}, "Delay", juce::NormalisableRange<float>(0.0f, 1000.0f), 256.0f));
        if (nature == "CrashOnLoad") crash();
        if (nature == "AbortOnLoad") std::abort();
        if (nature == "HangOnLoad")
            for (;;) std::this_thread::sleep_for(std::chrono::seconds(1));
    }

    const juce::String getName() const override { return nature; }

    void prepareToPlay(double, int) override {
        for (auto& line : lines) line.assign(2048, 0.0f);
        place = 0;
        frames = 0;
        tell();
    }

    void releaseResources() override {}

    void processBlock(juce::AudioBuffer<float>& buffer, juce::MidiBuffer&) override {
        misbehave();
        if (nature == "RestlessLatency") tell();
        const bool asleep = nature == "SlowStarter" && juce::Time::getMillisecondCounterHiRes() - born < 2000.0;
        const int late = actual();
        for (int frame = 0; frame < buffer.getNumSamples(); ++frame) {
            for (int channel = 0; channel < juce::jmin(2, buffer.getNumChannels()); ++channel) {
                auto* samples = buffer.getWritePointer(channel);
                lines[channel][static_cast<size_t>(place)] = samples[frame];
                const int from = (place - late + 2048) % 2048;
                samples[frame] = asleep ? 0.0f : lines[channel][static_cast<size_t>(from)] * amount->get();
            }
            place = (place + 1) % 2048;
        }
        frames += buffer.getNumSamples();
        spoil(buffer);
    }

    void getStateInformation(juce::MemoryBlock& block) override {
        if (nature == "CrashOnState") crash();
        const float values[] = {amount->get(), delay->get()};
        block.append(values, sizeof(values));
    }

    void setStateInformation(const void* data, int size) override {
        if (size < 8) return;
        *amount = static_cast<const float*>(data)[0];
        *delay = static_cast<const float*>(data)[1];
    }

    double getTailLengthSeconds() const override { return 0.0; }
    bool acceptsMidi() const override { return false; }
    bool producesMidi() const override { return false; }
    bool hasEditor() const override { return false; }
    juce::AudioProcessorEditor* createEditor() override { return nullptr; }
    int getNumPrograms() override { return 1; }
    int getCurrentProgram() override { return 0; }
    void setCurrentProgram(int) override {}
    const juce::String getProgramName(int) override { return {}; }
    void changeProgramName(int, const juce::String&) override {}

private:
    int actual() const { return juce::roundToInt(delay->get()); }

    void tell() { setLatencySamples(nature == "LatencyLiar" ? 64 : actual()); }

    void misbehave() {
        if (nature == "CrashLater" && frames > 44100) crash();
        if (nature == "HangLater" && frames > 44100)
            for (;;) std::this_thread::sleep_for(std::chrono::seconds(1));
        if (nature == "Chatterbox")
            for (int line = 0; line < 200; ++line) std::fprintf(stderr, "chatter %d\n", line);
    }

    void spoil(juce::AudioBuffer<float>& buffer) {
        if (nature == "NotANumber" && frames > 44100) buffer.setSample(0, 0, std::nanf(""));
        if (nature == "Runaway" && frames > 44100) buffer.applyGain(1.0e9f);
        if (nature == "BlockDropper" && frames > 44100 && ++blocks % 3 == 0) buffer.clear();
    }

    juce::String nature;
    double born;
    juce::AudioParameterFloat* amount;
    juce::AudioParameterFloat* delay;
    std::vector<float> lines[2];
    int place = 0, blocks = 0;
    long frames = 0;
};

}  // namespace

juce::AudioProcessor* JUCE_CALLTYPE createPluginFilter() { return new Hostile(); }
