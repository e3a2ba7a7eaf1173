#include "controller/models/prompt.h"

#include <algorithm>

#include <toml++/toml.h>

#include "base/bytes/bytes.h"
#include "base/bytes/visible.h"
#include "base/crypto/crypto.h"
#include "controller/models/schema.h"

namespace gitaiops::models {
namespace {

using fleet::v1::Diagnosis;
using fleet::v1::JobReport;
using nlohmann::json;

constexpr std::size_t kMaxLine = 512;
constexpr std::size_t kMaxFact = 256;
constexpr std::size_t kMarkerBytes = 16;
constexpr int kMaxFailingTests = 10;

json parse(std::string_view text) {
  return json::parse(text, nullptr, /*allow_exceptions=*/false);
}

// Without "ESC [ … letter", "ESC ] … BEL" and other escapes of terminals.
std::string without_escapes(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\x1b') {
      out += text[i];
      continue;
    }
    if (++i >= text.size()) break;
    if (text[i] == '[') {
      while (++i < text.size() && (text[i] < '@' || text[i] > '~')) {
      }
    } else if (text[i] == ']') {
      while (++i < text.size() && text[i] != '\a' && text[i] != '\x1b') {
      }
      if (i < text.size() && text[i] == '\x1b') ++i;  // ESC \ ends it, too
    }
  }
  return out;
}

// Addresses of the web are not passed on: a reader may follow what a model made up.
std::string without_addresses(const std::string& line) {
  std::string out;
  for (const auto part : split(line, ' ')) {
    if (!out.empty() || part.data() != line.data()) out += ' ';
    const bool address = part.find("://") != part.npos || part.find("www.") != part.npos;
    out += address ? std::string_view("(address left out)") : part;
  }
  return out;
}

// What the diagnosis says in its closed words, and what was read from the log, each on a line.
std::string facts_of(const JobReport& report) {
  const Diagnosis& d = report.diagnosis();
  std::string out;
  const auto add = [&](std::string_view name, std::string_view value) {
    if (const auto clean = cleaned_line(value, kMaxFact); !clean.empty())
      out += std::string(name) + ": " + clean + "\n";
  };
  add("kind of failure", d.category());
  add("step", d.phase());
  add("command", d.command());
  if (report.has_exit_code()) add("exit code", std::to_string(report.exit_code()));
  for (int i = 0; i < std::min(d.failing_tests_size(), kMaxFailingTests); ++i) {
    const auto& test = d.failing_tests(i);
    add("failing test", test.name() + (test.file().empty() ? "" : " in " + test.file()));
  }
  if (d.has_root_cause()) add("most telling line", std::to_string(d.root_cause().line()));
  return out;
}

std::string data_of(const Prompt& prompt, const JobReport& report) {
  std::string out = facts_of(report) + "\n";
  uint64_t before = 0;
  for (const auto& [number, text] : packet_lines(report.diagnosis(), prompt.max_data_bytes)) {
    if (before != 0 && number != before + 1) out += "(lines left out)\n";
    out += std::to_string(number) + " | " + text + "\n";
    before = number;
  }
  return out;
}

// Runs of digits as one "0": what differs between two runs of the same failure.
std::string masked(std::string_view line) {
  std::string out;
  for (const char c : line) {
    const bool digit = c >= '0' && c <= '9';
    if (!digit) out += c;
    if (digit && !out.ends_with('0')) out += '0';
  }
  return out;
}

}  // namespace

Result<Prompt> read_prompt(std::string_view text) {
  toml::table table;
  try {
    table = toml::parse(text);
  } catch (const toml::parse_error& error) {
    return Error(Code::invalid_argument, "prompt: " + std::string(error.description()));
  }
  Prompt out;
  out.id = table["id"].value_or(std::string());
  out.version = table["version"].value_or(int64_t{0});
  out.system = std::string(trimmed(table["system"].value_or(std::string_view())));
  out.max_output_tokens = table["max_output_tokens"].value_or(int64_t{0});
  out.max_data_bytes = static_cast<std::size_t>(
      std::clamp<int64_t>(table["max_data_bytes"].value_or(int64_t{0}), 0, 1 << 20));
  out.schema = parse(table["schema"].value_or(std::string_view()));
  if (out.id.empty() || out.version <= 0 || out.system.empty() || out.max_output_tokens <= 0 ||
      out.max_data_bytes == 0 || !out.schema.is_object())
    return Error(Code::invalid_argument,
                 "prompt \"" + out.id +
                     "\": id, version, system, schema, max_output_tokens and max_data_bytes are "
                     "needed");
  return out;
}

Question question_of(const Prompt& prompt, std::string data, std::string_view marker) {
  Question out;
  out.system = prompt.system;
  out.name = prompt.id;
  out.schema = prompt.schema;
  out.max_output_tokens = prompt.max_output_tokens;
  const std::string name(marker);
  // Cannot be foreseen, so it is not there; should it be, it is not the end.
  for (std::size_t at = 0; !name.empty() && (at = data.find(name)) != data.npos;)
    data.erase(at, name.size());
  out.user = "BEGIN " + name + "\n" + data + "END " + name + "\n";
  return out;
}

std::string fresh_marker() {
  return hex_encode(as_bytes(crypto::random_bytes(kMarkerBytes)));
}

std::string content_of(const Prompt& prompt, std::string_view data) {
  return crypto::sha256_hex(prompt.name() + "\n" + std::string(data));
}

Result<json> object_of(const Prompt& prompt, std::string_view answer) {
  json value = parse(object_in(answer));
  if (!value.is_object()) return Error(Code::invalid_argument, "the answer is no JSON object");
  RETURN_IF_ERROR(check_schema(value, prompt.schema));
  return value;
}

std::string cleaned_sentence(std::string_view text) {
  return without_addresses(std::string(trimmed(visible_line(without_escapes(text), text.size()))));
}

const Prompt& failure_prompt() {
  static const Prompt prompt = read_prompt(failure_prompt_text()).value();
  return prompt;
}

std::string cleaned_line(std::string_view text, std::size_t max_bytes) {
  // What is cut away is not looked at first: a line may be long.
  const auto part = text.substr(0, std::min(text.size(), max_bytes * 4 + 256));
  return visible_line(without_escapes(part), max_bytes);
}

std::map<uint64_t, std::string> packet_lines(const Diagnosis& diagnosis, std::size_t max_bytes) {
  std::map<uint64_t, std::string> out;
  std::size_t bytes = 0;
  for (const auto& excerpt : diagnosis.packet()) {
    std::string_view text = excerpt.text();
    while (text.ends_with('\n')) text.remove_suffix(1);
    uint64_t number = excerpt.first_line();
    for (const auto part : split(text, '\n')) {
      if (number == 0 || number > excerpt.last_line()) break;
      std::string line = cleaned_line(part, kMaxLine);
      bytes += line.size() + 1;
      if (bytes > max_bytes) return out;
      out.emplace(number++, std::move(line));
    }
  }
  return out;
}

Question failure_question(const Prompt& prompt, const JobReport& report, std::string_view marker) {
  return question_of(prompt, data_of(prompt, report), marker);
}

std::string content_of(const Prompt& prompt, const JobReport& report) {
  return content_of(prompt, data_of(prompt, report));
}

Result<Explanation> read_failure_answer(const Prompt& prompt, std::string_view answer,
                                        const Diagnosis& diagnosis) {
  ASSIGN_OR_RETURN(const json value, object_of(prompt, answer));
  Explanation out;
  out.explanation = cleaned_sentence(value["explanation"].get<std::string>());
  out.fix = cleaned_sentence(value["fix"].get<std::string>());
  out.owner = value["owner"].get<std::string>();
  out.confidence = value["confidence"].get<std::string>();
  if (out.explanation.empty()) return Error(Code::invalid_argument, "it explains nothing");
  if (out.confidence == "low") return Error(Code::invalid_argument, "it is a guess");
  const auto known = packet_lines(diagnosis, prompt.max_data_bytes);
  for (const auto& line : value["lines"]) {
    const auto number = line.get<int64_t>();
    const auto found = number > 0 ? known.find(static_cast<uint64_t>(number)) : known.end();
    if (found == known.end())
      return Error(Code::invalid_argument, "it cites a line that it was not given");
    if (std::ranges::find(out.lines, found->first, &Explanation::Line::number) == out.lines.end())
      out.lines.push_back({found->first, found->second});
  }
  return out;
}

Result<Explanation> moved_to(Explanation explanation, const Diagnosis& diagnosis,
                             std::size_t max_bytes) {
  const auto known = packet_lines(diagnosis, max_bytes);
  for (auto& cited : explanation.lines) {
    const auto same = std::ranges::find_if(
        known, [&](const auto& line) { return masked(line.second) == masked(cited.text); });
    if (same == known.end())
      return Error(Code::not_found, "a line that was cited is not in this log");
    cited = {same->first, same->second};
  }
  return explanation;
}

std::string_view object_in(std::string_view said) {
  if (const auto thought = said.rfind("</think>"); thought != said.npos)
    said.remove_prefix(thought + std::string_view("</think>").size());
  const auto open = said.find('{'), close = said.rfind('}');
  if (open == said.npos || close == said.npos || close < open) return {};
  return said.substr(open, close - open + 1);
}

}  // namespace gitaiops::models
