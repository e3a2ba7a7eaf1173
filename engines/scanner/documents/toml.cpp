#include <algorithm>
#include <sstream>

#include <toml++/toml.h>

#include "engines/scanner/documents/document.h"

namespace gitaiops::scanner::documents {
namespace {

class Copier {
 public:
  explicit Copier(Document& document) : document_(document) {}

  uint32_t copy(const toml::node& from, uint32_t parent, uint32_t previous, std::string_view key,
                uint32_t line) {
    Node node{document_.keep(key), {}, line, 0, 0, Kind::object};
    if (const auto* table = from.as_table()) {
      const uint32_t place = document_.add(parent, previous, node);
      if (place) members(*table, place);
      return place;
    }
    if (const auto* array = from.as_array()) {
      node.kind = Kind::array;
      const uint32_t place = document_.add(parent, previous, node);
      uint32_t last = 0;
      for (const auto& item : *array) {
        if (!place || document_.failed()) break;
        last = copy(item, place, last, {}, item.source().begin.line);
      }
      return place;
    }
    scalar(from, node);
    return document_.add(parent, previous, node);
  }

 private:
  // toml++ sorts by name; readers want the file's order.
  void members(const toml::table& table, uint32_t place) {
    struct Member {
      const toml::key* key;
      const toml::node* value;
    };
    std::vector<Member> sorted;
    for (auto it = table.cbegin(); it != table.cend(); ++it)
      sorted.push_back({&it->first, &it->second});
    std::ranges::stable_sort(sorted, {}, [](const Member& m) {
      return std::pair(m.key->source().begin.line, m.key->source().begin.column);
    });
    uint32_t last = 0;
    for (const auto& member : sorted) {
      if (document_.failed()) return;
      last = copy(*member.value, place, last, member.key->str(), member.key->source().begin.line);
    }
  }

  void scalar(const toml::node& from, Node& node) {
    node.kind = Kind::string;
    if (const auto* text = from.as_string()) {
      node.text = document_.keep(text->get());
    } else if (const auto* yes = from.as_boolean()) {
      node.kind = Kind::boolean;
      node.text = yes->get() ? "true" : "false";
    } else {
      if (from.is_number()) node.kind = Kind::number;
      std::ostringstream out;
      out << toml::node_view<const toml::node>(from);
      node.text = document_.keep(out.str());
    }
  }

  Document& document_;
};

// toml++ bounds how deep values nest, but not the parts of a dotted key, each of which is a table
// within the last one. The line of a key with more parts than documents may nest; 0 without.
uint32_t too_deep_key(std::string_view text) {
  constexpr std::string_view kOfKeys = "_- \t\"'";
  uint32_t line = 1, dots = 0;
  for (const char c : text) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (c == '.') {
      ++dots;
    } else if (!letter && kOfKeys.find(c) == kOfKeys.npos) {
      if ((c == '=' || c == ']') && dots > kMaxDepth) return line;
      dots = 0;
      line += c == '\n';
    }
  }
  return 0;
}

}  // namespace

Document read_toml(std::string_view text) {
  Document document;
  if (text.size() > kMaxTomlBytes) {
    document.fail(0, "it is larger than " + std::to_string(kMaxTomlBytes >> 20) + " MiB");
    return document;
  }
  if (const auto line = too_deep_key(text)) {
    document.fail(line, "it nests deeper than " + std::to_string(kMaxDepth) + " levels");
    return document;
  }
  try {
    const toml::table table = toml::parse(text);
    Copier(document).copy(table, 0, 0, {}, 1);
  } catch (const toml::parse_error& e) {
    document.fail(e.source().begin.line, "it is not TOML: " + std::string(e.description()));
  }
  return document;
}

}  // namespace gitaiops::scanner::documents
