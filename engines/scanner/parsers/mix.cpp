// mix.lock: an Elixir map of tuples, written by Mix (hexdocs.pm/mix, Hex' own lib/hex/scm.ex):
// "name": {:hex, :package, "version", "inner sha256", [managers], [{:need, …}], "repo", "outer
// sha256"} and "name": {:git, "url", "revision", [options]}.
#include "engines/scanner/parsers/languages.h"

namespace gitaiops::scanner::parsers {
namespace {

enum class Token : uint8_t { end, text, atom, mark };

class Reader {
 public:
  Reader(Extract& out, const File& file) : out_(out), file_(file), rest_(file.text) {}

  // An entry is a text, ':', and a tuple, all inside the one map.
  void read() {
    for (next(); token_ != Token::end; next()) {
      if (token_ != Token::text) continue;
      const auto name = text_;
      const auto line = line_;
      next();
      if (!is_mark(':')) continue;
      next();
      if (is_mark('{')) tuple(name, line);
    }
  }

 private:
  bool is_mark(char c) const { return token_ == Token::mark && text_.front() == c; }

  void next() {
    while (!rest_.empty() && (rest_.front() == ' ' || rest_.front() == '\t' ||
                              rest_.front() == '\r' || rest_.front() == '\n'))
      take(1);
    if (rest_.empty()) {
      token_ = Token::end;
      text_ = {};
    } else if (rest_.front() == '"') {
      text(1);
      token_ = Token::text;
    } else if (rest_.front() == ':' && rest_.size() > 1 && is_word(rest_[1])) {
      take(1);
      word();
      token_ = Token::atom;
    } else if (rest_.starts_with(":\"")) {
      text(2);
      token_ = Token::atom;
    } else if (is_word(rest_.front())) {
      word();
      token_ = Token::atom;
    } else {
      text_ = rest_.substr(0, 1);
      take(1);
      token_ = Token::mark;
    }
  }

  static bool is_word(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  }

  void word() {
    std::size_t end = 0;
    while (end < rest_.size() && is_word(rest_[end])) ++end;
    text_ = rest_.substr(0, end);
    take(end);
  }

  void text(std::size_t start) {
    std::size_t end = start;
    while (end < rest_.size() && rest_[end] != '"') end += rest_[end] == '\\' ? 2 : 1;
    end = std::min(end, rest_.size());
    text_ = rest_.substr(start, end - start);
    take(std::min(end + 1, rest_.size()));
  }

  void take(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) line_ += rest_[i] == '\n';
    rest_.remove_prefix(count);
  }

  // From behind its '{' to its '}'.
  void tuple(std::string_view name, uint32_t line) {
    std::vector<std::string_view> scalars;  // of the tuple itself
    std::vector<std::string_view> needs;    // first atoms of tuples in its lists
    uint32_t depth = 1;
    bool opened = false;
    for (next(); token_ != Token::end && depth > 0; next()) {
      if (token_ == Token::mark) {
        const char c = text_.front();
        if (c == '{' || c == '[') ++depth;
        if (c == '}' || c == ']') --depth;
        opened = c == '{';
        if (depth == 0) break;
        continue;
      }
      if (depth == 1) scalars.push_back(text_);
      if (depth == 3 && opened && token_ == Token::atom) needs.push_back(text_);
      opened = false;
    }
    add_entry(name, line, scalars, needs);
  }

  void add_entry(std::string_view name, uint32_t line, const std::vector<std::string_view>& scalars,
                 const std::vector<std::string_view>& needs) {
    const auto kind = scalars.empty() ? std::string_view() : scalars[0];
    if (scalars.size() < 3 || (kind != "hex" && kind != "git"))
      return problem(out_, file_, line,
                     "\"" + std::string(name) + "\" is neither a Hex nor a Git package");
    const bool git = kind == "git";
    Entry& entry = add(out_, file_, Ecosystem::hex, git ? name : scalars[1],
                       git ? std::string_view() : scalars[2], line);
    entry.keys = {std::string(name)};
    for (const auto need : needs) entry.needs.emplace_back(need);
    if (git) entry.package.source = std::string(scalars[1]) + "#" + std::string(scalars[2]);
    // The hash of the archive came later than the one of its content.
    if (!git && scalars.size() >= 6)
      entry.package.checksums.push_back({"sha256", std::string(scalars.back())});
  }

  Extract& out_;
  const File& file_;
  std::string_view rest_, text_;
  Token token_ = Token::end;
  uint32_t line_ = 1;
};

}  // namespace

Extract parse_mix_lock(const File& file) {
  Extract out;
  Reader(out, file).read();
  return out;
}

}  // namespace gitaiops::scanner::parsers
