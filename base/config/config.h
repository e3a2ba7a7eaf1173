// Configuration: one schema in code from which come validation, defaults, the commented sample and
// the documentation.
//
//   struct Options { std::string address; Duration interval{…}; };
//   Schema<Options> s("agent.toml");
//   s.key("controller.address", "Where the controller listens, host:port.",
//   &Options::address).required(); Result<Options> o = s.load_file(path);
//
// A file is TOML. Every problem in it is reported, each as `file:line:column: key: what is wrong;
// what was expected`, with the nearest known key for an unknown one. Secrets never stand in a file:
// a key of kind `path` names the file that holds one. What no key can say alone is a check: it
// names the key, and loading adds the place where that key stood.
//
// Thread safety: a Schema is built once and then only read.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

#include "base/result/result.h"

namespace gitaiops::config {

// Written "250ms", "30s", "5m", "12h", "7d".
struct Duration {
  int64_t micros = 0;
  auto operator<=>(const Duration&) const = default;
};
std::optional<Duration> parse_duration(std::string_view text);
std::string to_string(Duration duration);

using Value = std::variant<std::string, int64_t, double, bool, Duration, std::vector<std::string>>;

// What a check finds wrong with a value that its key alone allows.
struct Problem {
  std::string key;       // as in the schema: "controller.address", "gitlab.url"
  std::string text;      // what is wrong, and what was expected
  std::size_t item = 0;  // of an array: which of its tables, from 0
};
using Problems = std::vector<Problem>;

// Where the values of a file stood.
class Places {
 public:
  struct Place {
    uint32_t line = 0, column = 0;
  };
  explicit Places(std::string_view file) : file_(file) {}
  void put(std::string key, std::size_t item, Place place) {
    places_.insert_or_assign({std::move(key), item}, place);
  }
  // Every problem with its place, or with that of the table the key is missing from.
  Status to_status(const Problems& problems) const;

 private:
  std::string file_;
  std::map<std::pair<std::string, std::size_t>, Place> places_;
};

// One key of the schema. The setters return *this so that a key reads as one sentence.
class Key {
 public:
  Key& required() { return required_ = true, *this; }
  Key& range(int64_t lowest, int64_t highest) {
    return lowest_ = lowest, highest_ = highest, *this;
  }
  Key& one_of(std::vector<std::string> choices) { return choices_ = std::move(choices), *this; }
  Key& reloadable() { return reloadable_ = true, *this; }  // SIGHUP applies a new value
  Key& remote() {
    return remote_ = reloadable_ = true, *this;
  }  // the controller may set it, within range()

 private:
  friend class SchemaBase;
  std::string path_, doc_;
  bool required_ = false, reloadable_ = false, remote_ = false;
  int64_t lowest_ = std::numeric_limits<int64_t>::min(),
          highest_ = std::numeric_limits<int64_t>::max();
  std::vector<std::string> choices_;
  std::function<Value(const void*)> get_;
  std::function<void(void*, Value)> set_;
};

class SchemaBase {
 public:
  explicit SchemaBase(std::string title) : title_(std::move(title)) {}
  SchemaBase(SchemaBase&&) = default;

  // A file with every key, its documentation and its default, all commented out but the required
  // ones.
  std::string sample() const;
  // The same as a Markdown reference page.
  std::string markdown() const;

 protected:
  struct Array {
    std::string path, doc;
    std::shared_ptr<SchemaBase> items;
    std::function<void*(void*)> append;
    std::function<std::shared_ptr<void>()> make;  // a default item, for the sample
  };
  Key& add(std::string path, std::string doc, std::function<Value(const void*)> get,
           std::function<void(void*, Value)> set);
  void add_section(std::string path, std::string doc) {
    sections_.push_back({std::move(path), std::move(doc)});
  }
  void add_array(Array array) { arrays_.push_back(std::move(array)); }

  Status parse_into(void* config, std::string_view toml, std::string_view file_name,
                    Places& places) const;
  Status set_remote_into(void* config, std::string_view key, std::string_view toml_value) const;
  std::vector<std::string> fixed_changes(const void* before, const void* after) const;
  std::string sample_of(const void* defaults) const;
  std::string markdown_of(const void* defaults) const;
  virtual std::shared_ptr<void> defaults() const = 0;
  virtual ~SchemaBase() = default;

 private:
  struct Reader;
  friend struct Reader;
  struct Section {
    std::string path, doc;
  };
  std::string title_;
  std::vector<Section> sections_;
  std::vector<std::unique_ptr<Key>> keys_;
  std::vector<Array> arrays_;
};

template <class Config>
class Schema final : public SchemaBase {
 public:
  using SchemaBase::SchemaBase;

  // `access` maps Config& to the bound field: a pointer to member or a lambda. The field's type
  // decides the key's kind.
  template <class Access>
  Key& key(std::string path, std::string doc, Access access) {
    using Field = std::remove_cvref_t<decltype(std::invoke(access, std::declval<Config&>()))>;
    return add(
        std::move(path), std::move(doc),
        [access](const void* config) -> Value {
          const Field& field =
              std::invoke(access, *const_cast<Config*>(static_cast<const Config*>(config)));
          if constexpr (std::is_same_v<Field, std::filesystem::path>) {
            return field.string();
          } else if constexpr (std::is_integral_v<Field> && !std::is_same_v<Field, bool>) {
            return static_cast<int64_t>(field);
          } else {
            return field;
          }
        },
        [access](void* config, Value value) {
          Field& field = std::invoke(access, *static_cast<Config*>(config));
          if constexpr (std::is_same_v<Field, std::filesystem::path>) {
            field = std::get<std::string>(std::move(value));
          } else if constexpr (std::is_integral_v<Field> && !std::is_same_v<Field, bool>) {
            field = static_cast<Field>(std::get<int64_t>(value));
          } else {
            field = std::get<Field>(std::move(value));
          }
        });
  }
  // Words above a [table] in sample and documentation.
  void section(std::string path, std::string doc) { add_section(std::move(path), std::move(doc)); }

  // An array of tables: [[path]].
  template <class Item>
  void array(std::string path, std::string doc, std::vector<Item> Config::* field,
             std::shared_ptr<Schema<Item>> items) {
    add_array({std::move(path), std::move(doc), std::move(items),
               [field](void* config) -> void* {
                 return &(static_cast<Config*>(config)->*field).emplace_back();
               },
               [] { return std::static_pointer_cast<void>(std::make_shared<Item>()); }});
  }

  using Check = std::function<Problems(const Config&)>;
  Result<Config> parse(std::string_view toml, std::string_view file_name,
                       const Check& check = {}) const {
    Config config;
    Places places(file_name);
    RETURN_IF_ERROR(parse_into(&config, toml, file_name, places));
    if (check) RETURN_IF_ERROR(places.to_status(check(config)));
    return config;
  }
  Result<Config> load_file(const std::filesystem::path& path, const Check& check = {}) const;

  // Applies one setting that came from the controller: only keys marked remote(), within their
  // range.
  Status set_remote(Config& config, std::string_view key, std::string_view toml_value) const {
    return set_remote_into(&config, key, toml_value);
  }
  // Keys that differ and cannot be applied without a restart.
  std::vector<std::string> needs_restart(const Config& before, const Config& after) const {
    return fixed_changes(&before, &after);
  }

 private:
  std::shared_ptr<void> defaults() const override {
    return std::static_pointer_cast<void>(std::make_shared<Config>());
  }
};

Result<std::string> read_config_text(const std::filesystem::path& path);

template <class Config>
Result<Config> Schema<Config>::load_file(const std::filesystem::path& path,
                                         const Check& check) const {
  ASSIGN_OR_RETURN(const auto text, read_config_text(path));
  return parse(text, path.native(), check);
}

}  // namespace gitaiops::config
