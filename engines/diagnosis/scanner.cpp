#include "engines/diagnosis/scanner.h"

#include <cstdlib>
#include <cstring>

namespace gitaiops::diagnosis {
namespace {

struct ScanContext {
  const std::vector<Hit>* meanings;
  OnHit on_hit;
  void* context;
};

int forward(unsigned id, unsigned long long, unsigned long long to, unsigned, void* context) {
  const auto* scan = static_cast<const ScanContext*>(context);
  Hit hit = (*scan->meanings)[id];
  hit.end = static_cast<std::size_t>(to);
  scan->on_hit(scan->context, hit);
  return 0;
}

// What of a Hit is known before anything is scanned.
template <typename H, typename Each>
void each_field(H& hit, const Each& each) {
  each(hit.rule);
  each(hit.decoy);
  each(hit.ceiling);
  each(hit.gates);
}

}  // namespace

Result<std::unique_ptr<Scanner>> Scanner::compile(std::vector<Expression> expressions,
                                                  Target target) {
  auto scanner = std::make_unique<Scanner>();
  if (expressions.empty()) return scanner;
  const bool literal = expressions.front().literal;
  std::vector<const char*> texts;
  std::vector<std::size_t> sizes;
  std::vector<unsigned> ids;
  for (const auto& e : expressions) {
    ids.push_back(static_cast<unsigned>(texts.size()));
    texts.push_back(e.text.c_str());
    sizes.push_back(e.text.size());
  }
  const auto count = static_cast<unsigned>(texts.size());
  const std::vector<unsigned> flags(count, literal ? HS_FLAG_CASELESS : HS_FLAG_MULTILINE);
  const hs_platform_info_t plain{};  // no features beyond what the library itself needs
  const hs_platform_info_t* platform = target == Target::anywhere ? &plain : nullptr;
  hs_compile_error_t* error = nullptr;
  const auto status =
      literal ? hs_compile_lit_multi(texts.data(), flags.data(), ids.data(), sizes.data(), count,
                                     HS_MODE_BLOCK, platform, &scanner->database_, &error)
              : hs_compile_multi(texts.data(), flags.data(), ids.data(), count, HS_MODE_BLOCK,
                                 platform, &scanner->database_, &error);
  if (status != HS_SUCCESS) {
    Error result(Code::internal, std::string("compiling the rules: ") + error->message);
    hs_free_compile_error(error);
    return result;
  }
  for (const auto& e : expressions) scanner->meanings_.push_back(e.meaning);
  RETURN_IF_ERROR(scanner->prepare());
  return scanner;
}

// The meanings stand first, after their count, field by field: the same rules give the same bytes.
Result<std::unique_ptr<Scanner>> Scanner::from_bytes(std::string_view bytes) {
  auto scanner = std::make_unique<Scanner>();
  uint64_t count = 0;
  if (bytes.size() < sizeof count) return Error(Code::invalid_argument, "too short for rules");
  std::memcpy(&count, bytes.data(), sizeof count);
  bytes.remove_prefix(sizeof count);
  if (count > bytes.size() / kMeaningBytes)
    return Error(Code::invalid_argument, "too short for rules");
  if (count == 0) return scanner;
  scanner->meanings_.resize(count);
  for (Hit& hit : scanner->meanings_) {
    each_field(hit, [&](auto& field) {
      std::memcpy(&field, bytes.data(), sizeof field);
      bytes.remove_prefix(sizeof field);
    });
  }
  if (hs_deserialize_database(bytes.data(), bytes.size(), &scanner->database_) != HS_SUCCESS)
    return Error(Code::invalid_argument, "rules compiled for another library or processor");
  RETURN_IF_ERROR(scanner->prepare());
  return scanner;
}

Status Scanner::prepare() {
  if (hs_alloc_scratch(database_, &prototype_) != HS_SUCCESS)
    return Error(Code::resource_exhausted, "no memory to scan with");
  return {};
}

Scanner::~Scanner() {
  for (hs_scratch_t* scratch : idle_) hs_free_scratch(scratch);
  if (prototype_) hs_free_scratch(prototype_);
  if (database_) hs_free_database(database_);
}

Result<std::string> Scanner::serialized() const {
  const uint64_t count = meanings_.size();
  std::string out(reinterpret_cast<const char*>(&count), sizeof count);
  for (const Hit& hit : meanings_) {
    each_field(hit, [&](const auto& field) {
      out.append(reinterpret_cast<const char*>(&field), sizeof field);
    });
  }
  if (!database_) return out;
  char* bytes = nullptr;
  std::size_t size = 0;
  if (hs_serialize_database(database_, &bytes, &size) != HS_SUCCESS)
    return Error(Code::internal, "the rules cannot be written as bytes");
  out.append(bytes, size);
  std::free(bytes);
  return out;
}

void Scanner::scan(std::string_view text, OnHit on_hit, void* context) const {
  if (!database_) return;
  hs_scratch_t* scratch = nullptr;
  {
    const std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      scratch = idle_.back();
      idle_.pop_back();
    }
  }
  if (!scratch && hs_clone_scratch(prototype_, &scratch) != HS_SUCCESS) return;
  ScanContext scan{&meanings_, on_hit, context};
  hs_scan(database_, text.data(), static_cast<unsigned>(text.size()), 0, scratch, forward, &scan);
  const std::lock_guard lock(mutex_);
  idle_.push_back(scratch);
}

}  // namespace gitaiops::diagnosis
