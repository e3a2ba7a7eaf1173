// Any text as rules: no crash; what is accepted can be asked.
#include "engines/triage/rules/rules.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  using namespace gitaiops::triage;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  Change change{"ann", {"src/auth/a.c", "db/x.sql"}, 0};
  change.added_text = text.substr(0, 1000);
  change.files.emplace_back(text.substr(0, 1000));
  (void)required_reviews(change, Type::security, Rules::usual());
  if (const auto rules = Rules::read(text, "fuzz.toml"); rules.ok())
    (void)required_reviews(change, std::nullopt, *rules);
  return 0;
}
