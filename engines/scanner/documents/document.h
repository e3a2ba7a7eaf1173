// One shape for what JSON, TOML, YAML and XML files say, with the line of every value: the parsers
// of manifests read this and need not know which library stood behind it.
//
// Any bytes are accepted. A file that its library refuses, that nests deeper than kMaxDepth or that
// holds more than kMaxValues values (YAML aliases count as often as they are used) gives a Fault.
//
// Thread safety: plain data; a Document may be read from several threads.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace gitaiops::scanner::documents {

inline constexpr uint32_t kMaxDepth = 128;
inline constexpr std::size_t kMaxValues = 2'000'000;  // about 96 MB
// toml++ makes a tree of its own first, at many bytes a value.
inline constexpr std::size_t kMaxTomlBytes = 8u << 20;

enum class Kind : uint8_t { missing, null, boolean, number, string, array, object };

struct Fault {
  uint32_t line = 0;  // 1-based; 0 when unknown
  std::string reason;
};

struct Node {
  std::string_view key;
  std::string_view text;
  uint32_t line = 0;
  uint32_t first = 0;  // its first child's place; 0: none
  uint32_t next = 0;   // the next child of the same parent
  Kind kind = Kind::missing;
};

// A place in a Document, which must outlive it. Asking a missing value gives missing values.
class Value {
 public:
  class Iterator {
   public:
    Iterator(const Node* nodes, uint32_t at) : nodes_(nodes), at_(at) {}
    Value operator*() const { return {nodes_, at_}; }
    Iterator& operator++() { return at_ = nodes_[at_].next, *this; }
    bool operator==(const Iterator& other) const { return at_ == other.at_; }

   private:
    const Node* nodes_;
    uint32_t at_;
  };

  Value(const Node* nodes, uint32_t at) : nodes_(nodes), at_(at) {}
  explicit operator bool() const { return at_ != 0; }
  Kind kind() const { return nodes_[at_].kind; }
  bool is_object() const { return kind() == Kind::object; }
  bool is_array() const { return kind() == Kind::array; }
  bool is_string() const { return kind() == Kind::string; }
  bool is_true() const { return kind() == Kind::boolean && text() == "true"; }
  // A string's content; a number or boolean as it is written; an XML element's own text, trimmed.
  std::string_view text() const { return nodes_[at_].text; }
  std::string_view key() const { return nodes_[at_].key; }
  uint32_t line() const { return nodes_[at_].line; }
  // The member of that name; of several, the last one, as JSON readers take it.
  Value operator[](std::string_view key) const;
  Value none() const { return {nodes_, 0}; }
  Iterator begin() const { return {nodes_, nodes_[at_].first}; }
  Iterator end() const { return {nodes_, 0}; }

 private:
  const Node* nodes_;
  uint32_t at_;
};

class Document {
 public:
  Document();
  Document(Document&&) = default;
  Document& operator=(Document&&) = default;

  // Missing when the file holds nothing.
  Value root() const { return {nodes_.data(), roots_.empty() ? 0 : roots_.front()}; }
  // A YAML file may hold several documents.
  std::vector<Value> roots() const;
  const std::optional<Fault>& fault() const { return fault_; }

  // ---- For those who build one ----
  // Adds a value under `parent` (0: a root of its own) after `previous` (0: the first child) and
  // gives its place; 0 when there are too many, which then is the fault.
  uint32_t add(uint32_t parent, uint32_t previous, Node node);
  Node& node(uint32_t place) { return nodes_[place]; }
  // A copy of text that lives as long as the document.
  std::string_view keep(std::string_view text);
  char* room(std::size_t bytes);
  void fail(uint32_t line, std::string reason);
  bool failed() const { return fault_.has_value(); }

 private:
  std::vector<Node> nodes_;  // place 0 is what is missing
  std::vector<uint32_t> roots_;
  std::vector<std::unique_ptr<char[]>> blocks_;
  char* end_ = nullptr;   // of the last block
  std::size_t left_ = 0;  // bytes before it that are free
  std::optional<Fault> fault_;
};

// An object's members by name, for those who ask many times; as with Value, the last one counts.
class Members {
 public:
  explicit Members(Value object) : missing_(object.none()) {
    for (const auto member : object) by_name_.insert_or_assign(member.key(), member);
  }
  Value operator[](std::string_view name) const {
    const auto found = by_name_.find(name);
    return found == by_name_.end() ? missing_ : found->second;
  }

 private:
  Value missing_;
  std::unordered_map<std::string_view, Value> by_name_;
};

// Members of an object come in the file's order; in TOML by line.
enum class Comments { refused, allowed };  // and commas before a closing bracket
Document read_json(std::string_view text, Comments comments = Comments::refused);
Document read_toml(std::string_view text);
// Anchors are followed; tags are not; "<<" is a key like any other.
Document read_yaml(std::string_view text);
// An element is an object under its name without prefix; attributes are its members "@name".
// No entity but XML's own five is expanded, no DTD is read.
Document read_xml(std::string_view text);

}  // namespace gitaiops::scanner::documents
