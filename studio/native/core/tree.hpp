// A chain as text, and the nodes made of it. A line for each node, those inside it below it:
//
//     mirepoix 1                                              the format and its version
//     chain 3                                                 so many nodes, one behind the other
//     step studio.effects.filters.Lowpass cutoff=~            `~` moves: the next row of the tables
//     step studio.effects.dynamics.Ducker listen=0 depth=9    a side input by its number
//     parallel mix=0x1p-1                                     one chain
//     layers 2                                                so many chains
//     multiband 200 2000                                      a chain for each band, one more than crossovers
//
// Numbers are whole, decimal or hexadecimal, with a power of two behind `p`: exact, and free of any locale. `@2` is the
// third response. `beats` stands behind a step that follows the beats of the song.

#pragma once

#include <cstdlib>
#include <string>
#include <vector>

#include "multiband.hpp"

namespace mirepoix {

constexpr int TREE_VERSION = 1;

class TreeReader {
  public:
    TreeReader(const char* text, std::vector<StepTypes> known, const Response* responses, int count)
        : at_(text), known_(std::move(known)), responses_(responses), count_(count) {}

    // The whole tree, or nothing: then `error` says why.
    NodePointer read() {
        line();
        if (words_.size() != 2 || words_[0] != "mirepoix" || words_[1] != std::to_string(TREE_VERSION))
            return fail("no tree of version " + std::to_string(TREE_VERSION));
        NodePointer whole = chain();
        return error.empty() ? std::move(whole) : nullptr;
    }

    std::string error;
    std::vector<const Node*> rows;  // whose knobs stand in each row of the tables
    int sides = 0, steps = 0;

  private:
    void line() {
        words_.clear();
        ++number_;
        while (*at_ && *at_ != '\n') {
            const char* const first = at_;
            while (*at_ && *at_ != '\n' && *at_ != ' ') ++at_;
            if (at_ != first) words_.emplace_back(first, at_);
            while (*at_ == ' ') ++at_;
        }
        if (*at_) ++at_;
    }
    std::nullptr_t fail(const std::string& what) {
        if (error.empty()) error = "line " + std::to_string(number_) + ": " + what;
        return nullptr;
    }
    static bool number(const std::string& word, double& value) {
        char* end = nullptr;
        value = std::strtod(word.c_str(), &end);
        return !word.empty() && !*end && word.find_first_of(".,nN") == std::string::npos;
    }
    bool count(std::size_t word, int& value) {
        double given = -1.0;
        if (word < words_.size() && number(words_[word], given) && given >= 0.0 && given <= 1e6) {
            value = static_cast<int>(given);
            return true;
        }
        fail("a number is missing");
        return false;
    }

    std::unique_ptr<Chain> chain() {
        line();
        return nodes();
    }
    std::unique_ptr<Chain> nodes() {
        int many = 0;
        if (words_.empty() || words_[0] != "chain" || !count(1, many)) return fail("no chain");
        auto made = std::make_unique<Chain>();
        for (int index = 0; index < many && error.empty(); ++index)
            if (NodePointer each = node()) made->add(std::move(each));
        return made;
    }
    NodePointer node() {
        line();
        if (words_.empty()) return fail("a node is missing");
        if (words_[0] == "chain") return nodes();
        if (words_[0] == "step") return step();
        if (words_[0] == "parallel") return parallel();
        if (words_[0] == "layers") {
            int chains = 0;
            if (!count(1, chains)) return nullptr;
            return filled(std::make_unique<Layers>(), chains);
        }
        if (words_[0] == "multiband") {
            auto made = std::make_unique<Multiband>();
            const int bands = static_cast<int>(words_.size());
            for (std::size_t word = 1; word < words_.size(); ++word) {
                double hz = 0.0;
                if (!number(words_[word], hz)) return fail(words_[word] + " is no frequency");
                made->cross(hz);
            }
            return filled(std::move(made), bands);
        }
        return fail("there is no node " + words_[0]);
    }
    NodePointer filled(std::unique_ptr<Layers> made, int chains) {
        for (int index = 0; index < chains && error.empty(); ++index) made->add(chain());
        return made;
    }
    NodePointer parallel() {
        double mix = 0.0;
        if (words_.size() != 2 || words_[1].compare(0, 4, "mix=") != 0) return fail("no mix");
        const std::string value = words_[1].substr(4);
        const bool moves = value == "~";
        if (!moves && !number(value, mix)) return fail(value + " is no number");
        const int row = moves ? static_cast<int>(rows.size()) : -1;
        if (moves) rows.push_back(nullptr);
        auto made = std::make_unique<Parallel>(Knob{mix, mix, 0.0}, row, chain());
        if (moves) rows[static_cast<std::size_t>(row)] = made.get();
        return made;
    }
    const StepType* find(const std::string& name) const {
        for (const StepTypes& library : known_)
            for (int index = 0; index < library.count; ++index)
                if (name == library.types[index].name) return &library.types[index];
        return nullptr;
    }
    NodePointer step() {
        const StepType* const type = words_.size() > 1 ? find(words_[1]) : nullptr;
        if (!type) return fail("there is no native step " + (words_.size() > 1 ? words_[1] : ""));
        auto made = std::make_unique<StepNode>(*type, steps++);
        for (std::size_t word = 2; word < words_.size(); ++word) {
            const std::size_t equals = words_[word].find('=');
            const std::string name = words_[word].substr(0, equals);
            if (name == "beats") {
                made->follow_beats();
                continue;
            }
            const std::string value = equals == std::string::npos ? "" : words_[word].substr(equals + 1);
            double given = 0.0;
            const bool response = value[0] == '@';
            if (value != "~" && !number(value.substr(response), given)) return fail(words_[word] + " says nothing");
            if (name == "listen") {
                made->listen(static_cast<int>(given));
                sides = std::max(sides, static_cast<int>(given) + 1);
                continue;
            }
            int member = 0;
            while (member < type->count && name != type->members[member]) ++member;
            if (member == type->count) return fail(words_[1] + " has no member " + name);
            if (value == "~") {
                made->moving(member, static_cast<int>(rows.size()));
                rows.push_back(made.get());
            } else if (!response) {
                made->still(member, given);
            } else if (given >= 0 && given < count_) {
                made->give(member, responses_[static_cast<int>(given)]);
            } else {
                return fail("there is no response " + value);
            }
        }
        return made;
    }

    const char* at_;
    int number_ = 0;
    std::vector<std::string> words_;
    std::vector<StepTypes> known_;
    const Response* responses_;
    int count_;
};

}  // namespace mirepoix
