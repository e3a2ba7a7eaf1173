#include "controller/models/change_prompt.h"

#include <algorithm>
#include <array>

#include "base/bytes/bytes.h"
#include "engines/diagnosis/diagnosis.h"
#include "engines/triage/paths.h"

namespace gitaiops::models {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxLine = 240, kMaxPath = 200, kMaxTitle = 255;
constexpr std::size_t kMaxDescription = 2000, kMaxGuideline = 600, kMaxName = 80, kMaxSummary = 300;
constexpr std::size_t kMostGuidelines = 10, kMostNamed = 20;
constexpr std::size_t kAround = 10;       // bytes of a line's number, sign and end
constexpr std::size_t kFewestShares = 3;  // one file has no more than a third of the room

// A line of a diff, before it is cleaned.
struct Line {
  char sign = ' ';
  int64_t number = 0;  // in the new file; of a removed one in the old
  std::string_view text;
  bool gap = false;  // lines are left out before it
};

// The first number of a hunk's head, after `sign`: "@@ -12,3 +14 @@" → 12 after '-', 14 after '+'.
std::optional<int64_t> start_of(std::string_view head, char sign) {
  const auto at = head.find(sign);
  if (at == head.npos) return std::nullopt;
  const auto digits = head.substr(at + 1);
  const auto number = parse_uint(digits.substr(0, digits.find_first_not_of("0123456789")));
  if (!number || *number > 1'000'000'000) return std::nullopt;
  return static_cast<int64_t>(*number);
}

// At most `most` bytes of lines, from the beginning. What is no hunk ends it.
std::vector<Line> lines_of(std::string_view hunks, std::size_t most) {
  std::vector<Line> out;
  int64_t before = 0, after = 0;
  bool gap = false, begun = false;
  for (const auto text : split(hunks, '\n')) {
    if (text.starts_with("@@")) {
      const auto end = text.find("@@", 2);
      const auto head = text.substr(0, end == text.npos ? text.size() : end);
      const auto from = start_of(head, '-'), to = start_of(head, '+');
      if (!from || !to) break;
      before = *from;
      after = *to;
      gap = begun;
      begun = true;
      continue;
    }
    if (!begun || text.empty() || text.starts_with("\\")) continue;
    const char sign = text[0];
    if (sign != '+' && sign != '-' && sign != ' ') break;
    const std::size_t taken = std::min(text.size(), kMaxLine) + kAround;
    if (taken > most) break;
    most -= taken;
    out.push_back({sign, sign == '-' ? before : after, text.substr(1), gap});
    gap = false;
    before += sign != '+';
    after += sign != '-';
  }
  return out;
}

// Redacted together, so that a secret of several lines is seen as one; empty: it was more than the
// lines' own text that had to go.
std::vector<std::string> redacted(const std::vector<Line>& lines) {
  std::string whole;
  for (const auto& line : lines) whole += std::string(line.text) + "\n";
  const auto clean = diagnosis::redact(whole);
  std::vector<std::string> out;
  for (const auto text : split(clean.text, '\n')) out.emplace_back(text);
  if (!out.empty() && out.back().empty()) out.pop_back();
  if (out.size() != lines.size()) out.clear();
  return out;
}

std::string one_line(std::string_view text, std::size_t most) {
  return cleaned_line(diagnosis::redact(text).text, most);
}

int order_of(const gitlab::FileDiff& diff) {
  using triage::Role;
  constexpr std::array kOrder = {Role::code,  Role::migration,  Role::config, Role::ci,
                                 Role::build, Role::dependency, Role::test,   Role::docs};
  const auto role = triage::role_of(diff.new_path);
  return static_cast<int>(std::ranges::find(kOrder, role) - kOrder.begin());
}

const std::string& name_of(const gitlab::FileDiff& diff) {
  return diff.new_path.empty() ? diff.old_path : diff.new_path;
}

// Writes the files' lines, numbered, while there is room.
class Writer {
 public:
  Writer(ChangeData& data, std::size_t room) : data_(data), room_(room) {}

  // False: nothing of it is there.
  bool add(const gitlab::FileDiff& diff, std::size_t share) {
    const auto lines = lines_of(diff.hunks, std::min(share, room_));
    const auto texts = redacted(lines);
    if (texts.empty()) return false;
    const std::string path = one_line(name_of(diff), kMaxPath);
    data_.text += "\nfile: " + path;
    if (diff.old_path != diff.new_path && !diff.old_path.empty() && !diff.new_path.empty())
      data_.text += " (before: " + one_line(diff.old_path, kMaxPath) + ")";
    data_.text += "\n";
    for (std::size_t i = 0; i < lines.size(); ++i) add_line(lines[i], texts[i], path);
    return true;
  }

 private:
  void add_line(const Line& line, std::string_view text, const std::string& path) {
    if (line.gap) data_.text += "(lines left out)\n";
    const int64_t number = static_cast<int64_t>(data_.places.size()) + 1;
    const std::string clean = cleaned_line(text, kMaxLine);
    data_.text += std::to_string(number) + " | " + line.sign + clean + "\n";
    data_.places[number] = {path, line.number, line.sign == '-'};
    room_ -= std::min(room_, clean.size() + kAround);
  }

  ChangeData& data_;
  std::size_t room_;
};

void add_words(ChangeData& data, const gitlab::MergeRequest& merge_request,
               const std::vector<project_file::Guideline>& guidelines) {
  data.text += "title: " + one_line(merge_request.title, kMaxTitle) + "\n";
  if (const auto words = one_line(merge_request.description, kMaxDescription); !words.empty())
    data.text += "description: " + words + "\n";
  for (std::size_t i = 0; i < std::min(guidelines.size(), kMostGuidelines); ++i) {
    data.guidelines.push_back(one_line(guidelines[i].name(), kMaxName));
    data.text += "guideline " + std::to_string(i + 1) + ": " + data.guidelines.back() + ": " +
                 one_line(guidelines[i].text(), kMaxGuideline) + "\n";
  }
}

}  // namespace

const Prompt& change_prompt() {
  static const Prompt prompt = read_prompt(change_prompt_text()).value();
  return prompt;
}

ChangeData change_data(const Prompt& prompt, const gitlab::MergeRequest& merge_request,
                       const std::vector<gitlab::FileDiff>& diffs,
                       const std::vector<project_file::Guideline>& guidelines,
                       const std::vector<Vulnerability>& brought) {
  ChangeData data;
  add_words(data, merge_request, guidelines);
  for (const auto& one : brought)
    data.text += "vulnerability: " + one_line(one.name, kMaxName) + " of " +
                 one_line(one.package + " " + one.version, kMaxPath) + ": " +
                 one_line(one.summary, kMaxSummary) + "\n";
  std::vector<const gitlab::FileDiff*> files;
  for (const auto& diff : diffs) files.push_back(&diff);
  std::ranges::stable_sort(files, {}, [](const auto* diff) { return order_of(*diff); });
  Writer writer(data, prompt.max_data_bytes);
  const std::size_t share =
      prompt.max_data_bytes / std::clamp(files.size(), std::size_t{1}, kFewestShares);
  std::vector<std::string> left_out;
  for (const auto* file : files)
    if (!triage::is_read_by_people(name_of(*file)) || !writer.add(*file, share))
      left_out.push_back(one_line(name_of(*file), kMaxPath));
  if (!left_out.empty()) data.text += "\n";
  for (std::size_t i = 0; i < std::min(left_out.size(), kMostNamed); ++i)
    data.text += "also changed: " + left_out[i] + "\n";
  if (left_out.size() > kMostNamed)
    data.text += "and " + std::to_string(left_out.size() - kMostNamed) + " files more\n";
  return data;
}

Result<store::Reading> read_change_answer(const Prompt& prompt, std::string_view answer,
                                          const ChangeData& data) {
  ASSIGN_OR_RETURN(const json value, object_of(prompt, answer));
  store::Reading out;
  const auto kind = triage::read_type(value["kind"].get<std::string>());
  const auto risk = triage::read_level(value["risk"].get<std::string>());
  if (!kind || !risk) return Error(Code::invalid_argument, "its words are not the schema's");
  out.kind = *kind;
  out.risk = *risk;
  out.confidence = value["confidence"].get<std::string>();
  for (const auto& one : value["look_at"]) {
    const auto place = data.places.find(one["line"].get<int64_t>());
    if (place == data.places.end())
      return Error(Code::invalid_argument, "it names a line that it was not given");
    const auto guideline = one["guideline"].get<int64_t>();
    if (guideline > static_cast<int64_t>(data.guidelines.size()))
      return Error(Code::invalid_argument, "it names a guideline that it was not given");
    store::Reading::Point point{place->second.path,
                                place->second.line,
                                place->second.removed,
                                cleaned_sentence(one["why"].get<std::string>()),
                                {}};
    if (point.why.empty())
      return Error(Code::invalid_argument, "it names a place without a reason");
    if (guideline > 0) point.guideline = data.guidelines[static_cast<std::size_t>(guideline - 1)];
    out.points.push_back(std::move(point));
  }
  if (out.confidence == "low") out.points.clear();
  return out;
}

}  // namespace gitaiops::models
