#include <algorithm>

#include <pugixml.hpp>

#include "base/bytes/bytes.h"
#include "engines/scanner/documents/document.h"

namespace gitaiops::scanner::documents {
namespace {

std::string_view without_prefix(std::string_view name) {
  const auto colon = name.rfind(':');
  return colon == name.npos ? name : name.substr(colon + 1);
}

class Copier {
 public:
  Copier(Document& document, std::string_view text) : document_(document), text_(text) {}

  uint32_t copy(const pugi::xml_node& from, uint32_t parent, uint32_t previous, uint32_t depth) {
    const uint32_t line = line_of(from.offset_debug());
    if (depth > kMaxDepth) {
      document_.fail(line, "it nests deeper than " + std::to_string(kMaxDepth) + " levels");
      return 0;
    }
    const uint32_t place =
        document_.add(parent, previous,
                      {document_.keep(without_prefix(from.name())), {}, line, 0, 0, Kind::object});
    if (!place) return 0;
    uint32_t last = 0;
    for (const auto& attribute : from.attributes()) {
      const std::string name = "@" + std::string(without_prefix(attribute.name()));
      last = document_.add(
          place, last,
          {document_.keep(name), document_.keep(attribute.value()), line, 0, 0, Kind::string});
      if (!last) return 0;
    }
    std::string own;
    for (const auto& child : from.children()) {
      if (child.type() == pugi::node_element) {
        last = copy(child, place, last, depth + 1);
        if (document_.failed()) return 0;
      } else if (child.type() == pugi::node_pcdata || child.type() == pugi::node_cdata) {
        own += child.value();
      }
    }
    document_.node(place).text = document_.keep(trimmed(own));
    return place;
  }

  // Elements are asked in the text's order.
  uint32_t line_of(std::ptrdiff_t offset) {
    const auto end =
        std::min<std::size_t>(offset < 0 ? 0 : static_cast<std::size_t>(offset), text_.size());
    if (end > counted_to_) {
      const auto part = text_.substr(counted_to_, end - counted_to_);
      line_ += static_cast<uint32_t>(std::ranges::count(part, '\n'));
      counted_to_ = end;
    }
    return line_;
  }

 private:
  Document& document_;
  std::string_view text_;
  std::size_t counted_to_ = 0;
  uint32_t line_ = 1;
};

}  // namespace

Document read_xml(std::string_view text) {
  Document document;
  pugi::xml_document xml;
  const auto result =
      xml.load_buffer(text.data(), text.size(), pugi::parse_default, pugi::encoding_utf8);
  Copier copier(document, text);
  if (!result) {
    document.fail(copier.line_of(result.offset),
                  std::string("it is not XML: ") + result.description());
    return document;
  }
  copier.copy(xml.document_element(), 0, 0, 1);
  return document;
}

}  // namespace gitaiops::scanner::documents
