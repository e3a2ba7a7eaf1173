// Any bytes as a configuration file: an answer or an error with a place, never a crash.
#include <cstdlib>

#include "base/config/config.h"

namespace {
using namespace gitaiops;

struct Item {
  std::string name;
};
struct Options {
  std::string text;
  int64_t number = 1;
  double ratio = 0.5;
  bool flag = false;
  config::Duration wait;
  std::vector<std::string> list;
  std::vector<Item> items;
};

const config::Schema<Options>& schema() {
  static const auto made = [] {
    auto s = std::make_unique<config::Schema<Options>>("fuzz.toml");
    s->key("a.text", "Text.", &Options::text).one_of({"x", "y"});
    s->key("a.number", "Number.", &Options::number).range(0, 10).remote();
    s->key("a.b.ratio", "Ratio.", &Options::ratio);
    s->key("flag", "Flag.", &Options::flag);
    s->key("wait", "Wait.", &Options::wait);
    s->key("list", "List.", &Options::list);
    auto item = std::make_shared<config::Schema<Item>>("item");
    item->key("name", "Name.", &Item::name).required();
    s->array("item", "Items.", &Options::items, item);
    return s;
  }();
  return *made;
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto parsed = schema().parse(text, "f");
  if (!parsed.ok() && !parsed.error().message().starts_with("f:")) std::abort();
  Options options;
  (void)schema().set_remote(options, "a.number", text).ok();
  if (options.number < 0 || options.number > 10) std::abort();
  return 0;
}
