// YAML by libyaml's events: no tags, no merge keys. What an anchor names is copied where an alias
// stands, and counts each time, so that nested aliases end at kMaxValues and not in all memory.
#include <algorithm>
#include <unordered_map>

#include <yaml.h>

#include "engines/scanner/documents/document.h"

namespace gitaiops::scanner::documents {
namespace {

std::string_view view(const yaml_char_t* text, std::size_t size) {
  return {reinterpret_cast<const char*>(text), size};
}

struct Parser {
  explicit Parser(std::string_view text) {
    ready = yaml_parser_initialize(&parser) == 1;
    if (!ready) return;
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, reinterpret_cast<const unsigned char*>(text.data()),
                                 text.size());
  }
  ~Parser() {
    if (ready) yaml_parser_delete(&parser);
  }
  Parser(const Parser&) = delete;
  yaml_parser_t parser = {};
  bool ready = false;
};

struct Event {
  ~Event() { yaml_event_delete(&event); }
  yaml_event_t event = {};
};

class Reader {
 public:
  explicit Reader(Document& document) : document_(document) {}

  void read(std::string_view text) {
    Parser yaml(text);
    if (!yaml.ready) return document_.fail(0, "there is no memory to read it");
    for (;;) {
      Event e;
      if (!yaml_parser_parse(&yaml.parser, &e.event)) {
        const char* problem = yaml.parser.problem;
        return document_.fail(static_cast<uint32_t>(yaml.parser.problem_mark.line + 1),
                              std::string("it is not YAML: ") + (problem ? problem : "unreadable"));
      }
      if (e.event.type == YAML_STREAM_END_EVENT) return;
      take(e.event);
      if (document_.failed()) return;
    }
  }

 private:
  struct Open {
    uint32_t place, last;
    bool mapping;
    bool has_key;
    std::string_view key;
    uint32_t key_line;
  };

  void take(const yaml_event_t& e) {
    const auto line = static_cast<uint32_t>(e.start_mark.line + 1);
    switch (e.type) {
      case YAML_DOCUMENT_START_EVENT:
        anchors_.clear();
        return;
      case YAML_SCALAR_EVENT:
        return scalar(e, line);
      case YAML_ALIAS_EVENT:
        return alias(std::string(view(e.data.alias.anchor,
                                      std::char_traits<char>::length(
                                          reinterpret_cast<const char*>(e.data.alias.anchor)))),
                     line);
      case YAML_MAPPING_START_EVENT:
        return open(Kind::object, e.data.mapping_start.anchor, line);
      case YAML_SEQUENCE_START_EVENT:
        return open(Kind::array, e.data.sequence_start.anchor, line);
      case YAML_MAPPING_END_EVENT:
      case YAML_SEQUENCE_END_EVENT:
        if (!open_.empty()) open_.pop_back();
        return;
      default:
        return;
    }
  }

  void scalar(const yaml_event_t& e, uint32_t line) {
    const auto text = document_.keep(view(e.data.scalar.value, e.data.scalar.length));
    if (!open_.empty() && open_.back().mapping && !open_.back().has_key) {
      open_.back().has_key = true;
      open_.back().key = text;
      open_.back().key_line = line;
      return;
    }
    Kind kind = Kind::string;
    if (e.data.scalar.style == YAML_PLAIN_SCALAR_STYLE) {
      if (text.empty() || text == "~" || text == "null") kind = Kind::null;
      if (text == "true" || text == "false") kind = Kind::boolean;
    }
    remember(e.data.scalar.anchor, place({{}, text, line, 0, 0, kind}));
  }

  void open(Kind kind, const yaml_char_t* anchor, uint32_t line) {
    if (open_.size() >= kMaxDepth)
      return document_.fail(line, "it nests deeper than " + std::to_string(kMaxDepth) + " levels");
    if (!open_.empty() && open_.back().mapping && !open_.back().has_key)
      return document_.fail(line, "a key is no text");
    const uint32_t at = place({{}, {}, line, 0, 0, kind});
    if (!at) return;
    remember(anchor, at);
    open_.push_back({at, 0, kind == Kind::object, false, {}, 0});
  }

  // Puts a value where the file is at; a member takes the line of its key.
  uint32_t place(Node node) {
    if (open_.empty()) return document_.add(0, 0, node);
    auto& in = open_.back();
    if (in.mapping) {
      node.key = in.key;
      node.line = in.key_line;
      in.has_key = false;
    }
    in.last = document_.add(in.place, in.last, node);
    return in.last;
  }

  void remember(const yaml_char_t* anchor, uint32_t place) {
    if (anchor && place) anchors_[reinterpret_cast<const char*>(anchor)] = place;
  }

  void alias(const std::string& anchor, uint32_t line) {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) return document_.fail(line, "an alias has no anchor");
    if (std::ranges::any_of(open_, [&](const Open& o) { return o.place == found->second; }))
      return document_.fail(line, "an alias stands inside its own anchor");
    if (!open_.empty() && open_.back().mapping && !open_.back().has_key) {
      open_.back().has_key = true;
      open_.back().key = document_.node(found->second).text;
      open_.back().key_line = line;
      return;
    }
    Node node = document_.node(found->second);
    const uint32_t first = node.first;
    node.first = node.next = 0;
    node.line = line;
    const uint32_t to = place(node);
    if (to) copy_children(first, to, static_cast<uint32_t>(open_.size()));
  }

  void copy_children(uint32_t from, uint32_t parent, uint32_t depth) {
    if (depth >= kMaxDepth)
      return document_.fail(document_.node(parent).line,
                            "it nests deeper than " + std::to_string(kMaxDepth) + " levels");
    uint32_t last = 0;
    while (from && !document_.failed()) {
      Node node = document_.node(from);
      const uint32_t first = node.first, next = node.next;
      node.first = node.next = 0;
      last = document_.add(parent, last, node);
      if (last && first) copy_children(first, last, depth + 1);
      from = next;
    }
  }

  Document& document_;
  std::vector<Open> open_;
  std::unordered_map<std::string, uint32_t> anchors_;
};

}  // namespace

Document read_yaml(std::string_view text) {
  Document document;
  Reader(document).read(text);
  return document;
}

}  // namespace gitaiops::scanner::documents
