#include "engines/project_file/project_file.h"

#include <algorithm>
#include <optional>

#include "base/bytes/bytes.h"
#include "engines/scanner/documents/document.h"
#include "engines/scanner/documents/text.h"

namespace gitaiops::project_file {
namespace {

using scanner::documents::Kind;
using scanner::documents::Value;

constexpr std::size_t kMostQuoted = 40;
constexpr std::array<std::string_view, 3> kNames = {"note", "ignore", "guidelines"};
constexpr std::array<std::string_view, 3> kGuidelineNames = {"name", "files", "text"};
constexpr std::array<std::string_view, 4> kIgnoreNames = {"id", "package", "reason", "until"};

std::string quoted(std::string_view text) {
  return "\"" + truncate_utf8(to_utf8(text), kMostQuoted) + "\"";
}

std::optional<bool> read_switch(Value value) {
  std::string word(value.text());
  std::ranges::transform(word, word.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  });
  if (word == "on" || word == "true" || word == "yes") return true;
  if (word == "off" || word == "false" || word == "no") return false;
  return std::nullopt;
}

class Reader {
 public:
  ProjectFile read(std::string_view bytes) {
    const std::string text = scanner::documents::decoded(std::string(bytes));
    const auto document = scanner::documents::read_yaml(text);
    if (const auto& fault = document.fault()) {
      out_.readable = false;
      mistake(fault->line, "cannot be read as YAML: " + fault->reason);
      return std::move(out_);
    }
    const auto roots = document.roots();
    if (roots.size() > 1 && roots[1].kind() != Kind::null)
      mistake(roots[1].line(), "only what stands before the second document (\"---\") counts");
    const auto root = document.root();
    if (!root || root.kind() == Kind::null) return std::move(out_);
    if (!root.is_object()) {
      out_.readable = false;
      mistake(root.line(), "has to begin with a name, like \"note:\"");
      return std::move(out_);
    }
    for (const auto member : root) {
      if (member.key() == "note") {
        read_note(member);
      } else if (member.key() == "ignore") {
        read_ignores(member);
      } else if (member.key() == "guidelines") {
        read_guidelines(member);
      } else {
        unknown(member, kNames, "");
      }
    }
    return std::move(out_);
  }

 private:
  void read_note(Value note) {
    if (note.kind() == Kind::null) return;
    if (!note.is_object()) {
      const auto on = read_switch(note);
      if (on) {
        out_.note = *on;
      } else {
        mistake(note.line(), "\"note\" is on, off, or names of sections below it");
      }
      return;
    }
    for (const auto member : note) {
      const auto key = member.key();
      if (std::ranges::find(kSections, key) == kSections.end()) {
        unknown(member, kSections, "note.");
      } else if (const auto on = read_switch(member)) {
        out_.sections[std::string(key)] = *on;
      } else {
        mistake(member.line(),
                "\"note." + std::string(key) + "\" is on or off, not " + quoted(member.text()));
      }
    }
  }

  void read_ignores(Value list) {
    if (list.kind() == Kind::null) return;
    if (!list.is_array()) {
      mistake(list.line(), "\"ignore\" is a list; each of it begins with \"- id: CVE-…\"");
      return;
    }
    for (const auto item : list) {
      if (out_.ignores.size() >= kMaxIgnores) {
        mistake(item.line(),
                "only the first " + std::to_string(kMaxIgnores) + " of \"ignore\" count");
        return;
      }
      if (auto ignore = read_ignore(item)) out_.ignores.push_back(std::move(*ignore));
    }
  }

  // One that says too little sets nothing aside.
  std::optional<scanner::Ignore> read_ignore(Value item) {
    if (!item.is_object()) {
      mistake(item.line(), "each of \"ignore\" has an id and a reason");
      return std::nullopt;
    }
    for (const auto member : item) {
      if (std::ranges::find(kIgnoreNames, member.key()) != kIgnoreNames.end()) continue;
      unknown(member, kIgnoreNames, "");
      return std::nullopt;  // it may have been the last day
    }
    const auto text = [&](std::string_view name) {
      return std::string(trimmed(item[name].text()));
    };
    scanner::Ignore out{text("id"), text("package"), text("reason"), text("until")};
    if (out.id.empty() || out.reason.empty()) {
      mistake(item.line(), out.id.empty()
                               ? "it is not said which vulnerability is ignored; add \"id\""
                               : quoted(out.id) + " needs a \"reason\": why can it be lived with?");
      return std::nullopt;
    }
    if (!out.until.empty() && !scanner::is_day(out.until)) {
      mistake(item["until"].line(), "\"until\" is a day like 2027-03-31, not " + quoted(out.until));
      return std::nullopt;
    }
    return out;
  }

  void read_guidelines(Value list) {
    if (list.kind() == Kind::null) return;
    if (!list.is_array()) {
      mistake(list.line(), "\"guidelines\" is a list; each of it begins with \"- name: …\"");
      return;
    }
    for (const auto item : list) {
      if (out_.guidelines.size() >= kMaxGuidelines) {
        mistake(item.line(),
                "only the first " + std::to_string(kMaxGuidelines) + " of \"guidelines\" count");
        return;
      }
      read_guideline(item);
    }
  }

  void read_guideline(Value item) {
    const auto name = trimmed(item["name"].text()), text = trimmed(item["text"].text());
    if (!item.is_object() || name.empty() || text.empty()) {
      mistake(item.line(), "each of \"guidelines\" has a name and a text");
      return;
    }
    for (const auto member : item)
      if (std::ranges::find(kGuidelineNames, member.key()) == kGuidelineNames.end())
        unknown(member, kGuidelineNames, "");
    const auto files = item["files"];
    if (files && !files.is_array()) {
      mistake(files.line(), "\"files\" is a list of patterns like [\"**/*.sql\"]");
      return;
    }
    std::vector<std::string> patterns;
    for (const auto pattern : files)
      if (patterns.size() < kMaxPatterns) patterns.emplace_back(pattern.text());
    out_.guidelines.emplace_back(std::string(name), patterns, std::string(text));
  }

  void unknown(Value member, std::span<const std::string_view> known, std::string_view prefix) {
    std::string text = "nothing is called " + quoted(member.key()) + " here";
    if (const auto meant = nearest(member.key(), known)) {
      text += "; did you mean \"" + std::string(prefix) + std::string(*meant) + "\"?";
    } else {
      text += "; there is";
      for (const auto name : known)
        text += (name == known.front() ? " " : ", ") + std::string(prefix) + std::string(name);
    }
    mistake(member.line(), text);
  }

  void mistake(uint32_t line, const std::string& text) {
    if (out_.mistakes.size() >= kMaxMistakes) return;
    const std::string place = line > 0 ? ", line " + std::to_string(line) : std::string();
    out_.mistakes.push_back(std::string(kName) + place + ": " + text);
  }

  ProjectFile out_;
};

}  // namespace

ProjectFile read(std::string_view text) {
  return Reader().read(text);
}

std::set<std::string, std::less<>> unwanted(const ProjectFile& file,
                                            const std::vector<std::string>& by_default) {
  std::set<std::string, std::less<>> out;
  for (const auto section : kSections) {
    const bool usual = std::ranges::find(by_default, section) == by_default.end();
    const auto said = file.sections.find(section);
    if (!file.note || !(said == file.sections.end() ? usual : said->second)) out.emplace(section);
  }
  return out;
}

}  // namespace gitaiops::project_file
